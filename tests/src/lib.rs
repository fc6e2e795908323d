//! Scenarios, simulator, faults and tidiness of the whole workspace.
