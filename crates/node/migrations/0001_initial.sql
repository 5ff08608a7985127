-- A request and its life (P2, P11).
CREATE TABLE request (
    id        BLOB    PRIMARY KEY,
    requestor BLOB    NOT NULL,
    dataset   BLOB    NOT NULL,
    signed    TEXT    NOT NULL, -- the SignedRequest, JSON
    stage     INTEGER NOT NULL,
    reason    TEXT,             -- why it was refused
    release   BLOB,             -- version of the release that it is answered from
    received  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX request_by_stage ON request (stage, received);

-- The form: only ever appended to.
CREATE TABLE step (
    request  BLOB    NOT NULL REFERENCES request (id),
    position INTEGER NOT NULL,
    step     BLOB    NOT NULL, -- CBOR
    PRIMARY KEY (request, position)
) STRICT, WITHOUT ROWID;

-- What was made for a request. Filled stage by stage.
CREATE TABLE package (
    id               BLOB    PRIMARY KEY REFERENCES request (id),
    usage            TEXT    NOT NULL, -- UsageContract, JSON
    contract_secret  BLOB    NOT NULL, -- encrypted at rest
    payload_salt     BLOB    NOT NULL,
    payload_hash     BLOB    NOT NULL,
    payload_length   INTEGER NOT NULL,
    processed        INTEGER NOT NULL,
    validation       TEXT,             -- ValidationAnswer, JSON
    verifier         BLOB,
    custodian_share  BLOB,             -- encrypted at rest
    container_hash   BLOB,
    container_length INTEGER,
    leaf             BLOB,             -- of the parent block
    body             BLOB              -- of the parent block, signed
) STRICT, WITHOUT ROWID;
CREATE INDEX package_by_leaf ON package (leaf);

-- Bodies of blocks by leaf hash, one's own and those of peers. What stands before a body in its record follows from the
-- chain and the place in it: somebody may anchor a leaf hash a second time.
CREATE TABLE block (
    leaf BLOB PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Events of the contract. Everything from here to the end of the section follows from them and is taken back and
-- applied again when the chain is reorganised: each row knows the EVM block that it came with.
CREATE TABLE position (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    block INTEGER NOT NULL,
    hash  BLOB    NOT NULL
) STRICT;
CREATE TABLE event (
    evm_block   INTEGER NOT NULL,
    log_index   INTEGER NOT NULL,
    block_hash  BLOB    NOT NULL,
    transaction_hash BLOB NOT NULL,
    time        INTEGER NOT NULL, -- seconds
    name        TEXT    NOT NULL,
    package     BLOB,
    PRIMARY KEY (evm_block, log_index)
) STRICT, WITHOUT ROWID;
CREATE TABLE chain_entry (
    chain     BLOB    NOT NULL, -- whose thread it is, 20 bytes, or which package's side-chain, 32: two may have one origin
    position  INTEGER NOT NULL,
    side      INTEGER NOT NULL,
    package   BLOB    NOT NULL,
    leaf      BLOB    NOT NULL,
    header    BLOB    NOT NULL, -- 80 bytes
    hash      BLOB    NOT NULL, -- of the header: the head after this entry
    node      BLOB    NOT NULL,
    transaction_hash BLOB NOT NULL,
    evm_block INTEGER NOT NULL,
    PRIMARY KEY (chain, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX chain_entry_by_leaf ON chain_entry (leaf, package);
CREATE INDEX chain_entry_by_first ON chain_entry (leaf, evm_block, chain, position);
CREATE INDEX chain_entry_by_time ON chain_entry (chain, evm_block, position);
CREATE INDEX chain_entry_by_package ON chain_entry (package, side, position);
CREATE INDEX chain_entry_by_block ON chain_entry (evm_block);
-- Complete subtrees of the chains' merkle logs, leaves excepted: proofs are made from them in O(log n).
CREATE TABLE log_node (
    chain     BLOB    NOT NULL,
    number    INTEGER NOT NULL, -- Subtree::number
    hash      BLOB    NOT NULL,
    evm_block INTEGER NOT NULL,
    PRIMARY KEY (chain, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX log_node_by_block ON log_node (evm_block);
CREATE TABLE violation (
    package   BLOB    NOT NULL,
    number    INTEGER NOT NULL,
    actions   INTEGER NOT NULL,
    report    BLOB    NOT NULL,
    transaction_hash BLOB NOT NULL,
    time      INTEGER NOT NULL,
    evm_block INTEGER NOT NULL,
    PRIMARY KEY (package, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX violation_by_block ON violation (evm_block);
CREATE TABLE receipt (
    evm_block INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    package   BLOB    NOT NULL,
    requestor BLOB    NOT NULL,
    custodian BLOB    NOT NULL,
    kind      TEXT    NOT NULL,
    violation INTEGER NOT NULL,
    transaction_hash BLOB NOT NULL,
    time      INTEGER NOT NULL,
    PRIMARY KEY (evm_block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_by_package ON receipt (package);
CREATE TABLE standing (
    evm_block INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    package   BLOB    NOT NULL,
    what      TEXT    NOT NULL, -- revoked, regranted, retrieved
    actor     BLOB    NOT NULL,
    reason    INTEGER,
    transaction_hash BLOB NOT NULL,
    time      INTEGER NOT NULL,
    PRIMARY KEY (evm_block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_by_package ON standing (package);
CREATE TABLE response_list (
    evm_block INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    custodian BLOB    NOT NULL,
    dataset   BLOB    NOT NULL,
    responses TEXT    NOT NULL, -- JSON
    PRIMARY KEY (evm_block, log_index)
) STRICT, WITHOUT ROWID;
CREATE TABLE registration (
    evm_block INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    requestor BLOB    NOT NULL,
    nonce     TEXT    NOT NULL,
    custodian BLOB    NOT NULL,
    transaction_hash BLOB NOT NULL,
    PRIMARY KEY (evm_block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX registration_by_requestor ON registration (requestor, nonce);

-- Sessions, reports and leases (P17, P18).
CREATE TABLE session (
    package     BLOB    NOT NULL,
    key         BLOB    NOT NULL,
    session     TEXT    NOT NULL, -- Session, JSON
    signature   BLOB    NOT NULL,
    lease_until INTEGER NOT NULL,
    renewed     INTEGER NOT NULL, -- time of the last renewal by the requestor's clock: none is taken twice
    ended       INTEGER NOT NULL,
    PRIMARY KEY (package, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_lease ON session (ended, lease_until);
CREATE TABLE report (
    package           BLOB    NOT NULL,
    number            INTEGER NOT NULL,
    digest            BLOB    NOT NULL,
    report            TEXT    NOT NULL, -- Report, JSON
    signature         BLOB    NOT NULL,
    session_key       BLOB    NOT NULL,
    body              BLOB    NOT NULL, -- sealed to the contract key
    violated          INTEGER NOT NULL,
    receipt           TEXT    NOT NULL, -- Receipt, JSON
    receipt_signature BLOB    NOT NULL,
    leaf              BLOB    NOT NULL, -- of the side-block
    side_body         BLOB    NOT NULL, -- of the side-block, signed
    settlement        TEXT,             -- violations only: pending, settled, or why it is moot
    PRIMARY KEY (package, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX report_by_settlement ON report (settlement);
CREATE INDEX report_by_leaf ON report (leaf);
CREATE TABLE unanchored (
    package BLOB    NOT NULL,
    number  INTEGER NOT NULL,
    PRIMARY KEY (package, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE tampering (
    package    BLOB    NOT NULL,
    number     INTEGER NOT NULL,
    report     TEXT    NOT NULL, -- the contradicting Report, JSON
    signature  BLOB    NOT NULL,
    time       INTEGER NOT NULL,
    settlement TEXT    NOT NULL,
    PRIMARY KEY (package, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE deletion (
    package    BLOB PRIMARY KEY,
    submission TEXT NOT NULL -- DeletionSubmission, JSON
) STRICT, WITHOUT ROWID;

-- What this node did as the second node (P13).
CREATE TABLE validation (
    package      BLOB    NOT NULL,
    time         INTEGER NOT NULL,
    sender       BLOB    NOT NULL,
    payload_hash BLOB,
    refusal      TEXT,
    PRIMARY KEY (package, time)
) STRICT, WITHOUT ROWID;

-- What the custodian should look at: silent leases, refused openings, forks.
CREATE TABLE finding (
    id      INTEGER PRIMARY KEY,
    package BLOB    NOT NULL,
    kind    TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    time    INTEGER NOT NULL
) STRICT;
CREATE INDEX finding_by_package ON finding (package);

-- What the node's own check of this store has found (P23).
CREATE TABLE alert (
    id    INTEGER PRIMARY KEY,
    alert TEXT NOT NULL -- Alert, JSON
) STRICT;
