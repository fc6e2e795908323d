//! Signing, sealing, key epochs, membership and recovery.
