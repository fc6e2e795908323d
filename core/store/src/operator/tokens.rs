//! Admission tokens (docs/PROTOCOL.md section 5): who holds one may have spaces created here.

use alliance_wire::SpaceId;
use alliance_wire::membership::Admission;
use rusqlite::OptionalExtension;
use zeroize::Zeroizing;

use super::{Operator, RelayDay, sound, transaction};
use crate::error::StoreError;

/// A token to be kept.
pub struct NewToken<'a> {
    /// Its public name.
    pub id: [u8; 8],
    /// What makes its MACs.
    pub secret: &'a [u8; 32],
    /// What the operator calls it.
    pub label: &'a str,
    /// How many spaces it may create.
    pub spaces_max: u32,
    /// The day on which it was made.
    pub day: RelayDay,
}

impl core::fmt::Debug for NewToken<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NewToken").field("id", &self.id).field("label", &self.label).finish_non_exhaustive()
    }
}

/// A token as its operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its public name.
    pub id: [u8; 8],
    /// What the operator calls it.
    pub label: String,
    /// How many spaces it may create.
    pub spaces_max: u32,
    /// How many it has created.
    pub spaces: u32,
    /// It creates no more.
    pub revoked: bool,
}

/// What became of an admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admittance {
    /// The space may be created.
    Granted,
    /// There is no such token, it was revoked, or the MAC is not its: one answer for all three.
    Refused,
    /// The token has created as many spaces as it may.
    Full,
}

impl Operator {
    /// Keeps a token. One with the same id is replaced, which 64 random bits do not let happen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add_token(&self, token: &NewToken<'_>) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert or replace into token(token, secret, label, spaces, day) values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((token.id, token.secret, token.label, token.spaces_max, token.day.0))?;
        Ok(())
    }

    /// All tokens, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        sound(&self.connection(), |connection| {
            let mut statement = connection.prepare_cached(
                "select token, label, spaces, revoked, (select count(*) from admitted a where a.token = t.token) \
             from token t order by token",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(TokenRow {
                    id: row.get(0)?,
                    label: row.get(1)?,
                    spaces_max: row.get(2)?,
                    revoked: row.get(3)?,
                    spaces: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Revokes a token and forgets its secret: it creates no more spaces, and those that it created stay. `false` if
    /// there is none with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn revoke_token(&self, id: [u8; 8]) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached("update token set revoked = 1, secret = zeroblob(32) where token = ?1")?
            .execute([id])?;
        Ok(changed > 0)
    }

    /// Judges an admission of a space and counts it against its token: once a space, however often it is asked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn admit(&self, space: SpaceId, admission: &Admission) -> Result<Admittance, StoreError> {
        let mut connection = self.connection();
        transaction(&mut connection, |connection| {
            let token = connection
                .prepare_cached("select secret, spaces from token where token = ?1 and revoked = 0")?
                .query_row([admission.token], |row| {
                    Ok((Zeroizing::new(row.get::<_, [u8; 32]>(0)?), row.get::<_, u32>(1)?))
                })
                .optional()?;
            let Some((secret, spaces_max)) = token else { return Ok(Admittance::Refused) };
            if !same(&Admission::mac(&secret, space), &admission.mac) {
                return Ok(Admittance::Refused);
            }
            let known: bool = connection
                .prepare_cached("select exists(select 1 from admitted where token = ?1 and space = ?2)")?
                .query_row((admission.token, space.as_bytes()), |row| row.get(0))?;
            if known {
                return Ok(Admittance::Granted);
            }
            let count: u32 = connection
                .prepare_cached("select count(*) from admitted where token = ?1")?
                .query_row([admission.token], |row| row.get(0))?;
            if count >= spaces_max {
                return Ok(Admittance::Full);
            }
            connection
                .prepare_cached("insert into admitted(token, space) values (?1, ?2)")?
                .execute((admission.token, space.as_bytes()))?;
            Ok(Admittance::Granted)
        })
    }
}

/// Compares without telling by its time how far two values agree.
fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |difference, (one, other)| difference | (one ^ other)) == 0
}
