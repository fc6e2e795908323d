//! The model as Automerge documents, and the gate before them.
