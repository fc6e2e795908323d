//! Function schemes: the field's rival vocabularies for what supervision is for, as data (DOMAIN A11, C03, E01), and
//! which of their words mean the same.

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
    FunctionScheme { name: "three_s2", functions: &["supportive", "educative", "normative"] },
];

/// Functions that mean the same (DOMAIN 2.7): each row names them by scheme. Mediation stands in none, because the other
/// two schemes have nothing like it.
const SAME: &[&[(&str, &str)]] = &[
    &[("proctor3", "restorative"), ("morrison4", "support"), ("three_s2", "supportive")],
    &[("proctor3", "formative"), ("morrison4", "development"), ("three_s2", "educative")],
    &[("proctor3", "normative"), ("morrison4", "management"), ("three_s2", "normative")],
];

/// Whether the shipped schemes have this function.
#[must_use]
pub fn knows_function(scheme: &str, function: &str) -> bool {
    SCHEMES.iter().any(|s| s.name == scheme && s.functions.contains(&function))
}

/// What another scheme calls a function; `None` if it has no word for it, or if there is no such function or scheme.
#[must_use]
pub fn mapped(scheme: &str, function: &str, into_scheme: &str) -> Option<&'static str> {
    if scheme == into_scheme {
        let own = SCHEMES.iter().find(|known| known.name == scheme)?;
        return own.functions.iter().copied().find(|known| *known == function);
    }
    let row = SAME.iter().find(|row| row.contains(&(scheme, function)))?;
    row.iter().find(|(known, _)| *known == into_scheme).map(|(_, word)| *word)
}
