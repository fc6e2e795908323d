//! What an app can rely on: people and their devices through the facade, with a relay in this process.

mod bundles;
mod carried;
mod connectivity;
mod cuts;
mod devices;
mod due;
mod early;
mod exports;
mod history;
mod idle;
mod kept;
mod lists;
mod live;
mod members;
mod preparation;
mod profiles;
mod recover;
mod relays;
mod renew;
mod restore;
mod rumours;
mod search;
mod secrets_in_debug;
mod sessions;
mod story;
mod words;
