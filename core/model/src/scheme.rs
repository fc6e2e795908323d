//! Function schemes: the field's rival vocabularies for what supervision is for, as data (DOMAIN A11, E01).

/// A named set of functions. Schemes are data: a policy pack may bring others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionScheme {
    /// The stable name.
    pub name: &'static str,
    /// The functions, in the order in which they are shown.
    pub functions: &'static [&'static str],
}

/// The shipped schemes. Restorative stands first: in care work the others fail without it (DOMAIN A12).
pub const SCHEMES: &[FunctionScheme] = &[
    FunctionScheme { name: "proctor3", functions: &["restorative", "formative", "normative"] },
    FunctionScheme { name: "morrison4", functions: &["support", "development", "management", "mediation"] },
];

/// Whether the shipped schemes have this function.
#[must_use]
pub fn knows_function(scheme: &str, function: &str) -> bool {
    SCHEMES.iter().any(|s| s.name == scheme && s.functions.contains(&function))
}
