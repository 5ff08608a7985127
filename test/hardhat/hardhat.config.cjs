// Hardhat's node as a second chain for crates/chain/tests/suite/second_evm.rs. Nothing is compiled here: what is
// deployed is the committed bytecode.
module.exports = {
  networks: {
    hardhat: {
      chainId: 31337, // anvil's, so that what is signed is the same on both
      hardfork: "prague", // as `evm_version` in foundry.toml
      loggingEnabled: false,
    },
  },
};
