-- Outputs that usage contracts hold back (SPEC 5.3); their bytes are files beside the containers.
CREATE TABLE held_output (
    package  BLOB    NOT NULL REFERENCES package (id),
    number   INTEGER NOT NULL, -- of the report that told of it
    output   BLOB    NOT NULL, -- sha256d of the sealed bytes
    length   INTEGER NOT NULL, -- how many they are
    received INTEGER NOT NULL,
    decision TEXT,             -- SignedDecision, JSON
    PRIMARY KEY (package, number)
) STRICT, WITHOUT ROWID;
