//! Those who follow no rule: a hostile member and a hostile relay.

mod member;
mod relay;
