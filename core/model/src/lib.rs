//! The domain: nouns, rules, refusals and policy.
