//! Who a device is, kept twice.

use alliance_crypto::KeyBytes;
use alliance_wire::membership::RecoveryCard;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use rusqlite::{Connection, OptionalExtension};
use zeroize::Zeroizing;

use super::Device;
use super::people::put_setting;
use crate::error::StoreError;
use crate::sql::{int, uint};

/// Who this device is.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The seed of the device's secret.
    pub secret: KeyBytes,
    /// The public half of the person's recovery words.
    pub recovery: RecoveryCard,
    /// The person's name, as it presents itself to new spaces.
    pub name: String,
    /// Milliseconds since 1970 at which the profile was made.
    pub created: u64,
}

impl Device {
    /// The profile; absent in a store that was just made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn profile(&self) -> Result<Option<Profile>, StoreError> {
        self.engine.read(profile).await
    }
}

fn profile(connection: &Connection) -> Result<Option<Profile>, StoreError> {
    let mut statement = connection.prepare_cached("select secret, recovery, name, created from profile")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let recovery = row.get_ref(1)?.as_blob().map_err(|_| StoreError::Shape("a recovery card"))?;
    Ok(Some(Profile {
        secret: KeyBytes::new(row.get(0)?),
        recovery: alliance_wire::decode(recovery).map_err(|_| StoreError::Shape("a recovery card"))?,
        name: row.get(2)?,
        created: uint(row.get(3)?),
    }))
}

pub(super) fn put_profile(connection: &Connection, profile: &Profile) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "insert or replace into profile(one, secret, recovery, name, created) values (1, ?1, ?2, ?3, ?4)",
        )?
        .execute((
            profile.secret.as_slice(),
            alliance_wire::encode(&profile.recovery),
            &profile.name,
            int(profile.created),
        ))?;
    // Once more, on another page: one that can no longer be read must not take the device's identity away.
    let copy = ProfileCopy {
        secret: ByteArray::from(*profile.secret),
        recovery: alliance_wire::encode(&profile.recovery).into(),
        name: profile.name.clone(),
        created: profile.created,
    };
    // Room for all of it at once: growing would leave parts in freed memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(COPY_BYTES + profile.name.len()));
    minicbor::encode(&copy, &mut *bytes).expect("writing to a vector cannot fail");
    put_setting(connection, PROFILE_COPY, Some(&bytes))
}

/// The setting that holds the profile once more.
const PROFILE_COPY: &str = "profile copy";

/// Bytes of the copy beside the name, at most.
const COPY_BYTES: usize = 256;

#[derive(Encode, Decode)]
struct ProfileCopy {
    #[n(0)]
    secret: ByteArray<32>,
    #[n(1)]
    recovery: ByteVec,
    #[n(2)]
    name: String,
    #[n(3)]
    created: u64,
}

/// Writes the profile anew from its copy where it is missing, as after a salvage.
pub(crate) fn mend_profile(connection: &Connection) -> Result<(), StoreError> {
    if profile(connection)?.is_some() {
        return Ok(());
    }
    let copy: Option<Vec<u8>> = connection
        .prepare_cached("select value from setting where name = ?1")?
        .query_row([PROFILE_COPY], |row| row.get(0))
        .optional()?;
    let Some(copy) = copy.map(Zeroizing::new) else { return Ok(()) };
    let shape = |_| StoreError::Shape("the copy of a profile");
    let copy: ProfileCopy = alliance_wire::decode(&copy).map_err(shape)?;
    let recovery = alliance_wire::decode(&copy.recovery).map_err(shape)?;
    let (name, created) = (copy.name, copy.created);
    put_profile(connection, &Profile { secret: KeyBytes::of(&copy.secret), recovery, name, created })
}
