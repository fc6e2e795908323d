//! Coming back into a space that somebody left in one's name (PROTOCOL section 4, evaluation).
//!
//! A device may leave for its person, and a thief's may too. The words put such a device out in an entry that knows
//! nothing of the leave: then it counts no more. This is said for one space at a time, since nobody but the person can
//! tell a thief's leave from one of its own.

use alliance_crypto::{RecoverySecret, Secret as _};
use alliance_model::{Refusal, RefusalCode};
use alliance_wire::membership::CardForOwn;
use alliance_wire::{HeaderHash, PersonTag, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::views::{Change, SpaceView};

impl Client {
    /// Takes back with the recovery words that another device of this person's left a space. The device is suspended
    /// there; whoever hears of it counts this person as a member again. Of a `group` whose steward has removed the person
    /// since, nothing can be taken back.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `NOT_LEFT`, `ROLE_FORBIDS` (this device itself left, or the person was removed as well),
    /// `BAD_RECOVERY_WORDS`, `WORDS_OF_NOBODY`, and those of the store.
    pub async fn take_back_leave(&self, space: SpaceId, words: &str) -> Result<SpaceView, Error> {
        let inner = &self.inner;
        inner.local_space(space).await?;
        let membership = inner.membership(space).await?;
        let state = membership.state();
        let person = inner.own_person(state).ok_or_else(|| Refusal::new(RefusalCode::NotMember))?;
        let left = membership.leaves_of(person).filter(|_| !state.members.contains_key(&person));
        let (devices, heads) = left.ok_or_else(|| Error::new(Code::NotLeft).with("space", space))?;
        if devices.contains(&inner.me) {
            return Err(Refusal::new(RefusalCode::RoleForbids).with("device", inner.me.short()).into());
        }
        let secret = inner.words_secret(words).await?;
        let prefixes: Vec<_> = heads.iter().map(HeaderHash::prefix).collect();
        let before = membership.state_at(&prefixes).ok_or(Code::Internal)?;
        if !before.members.get(&person).is_some_and(|member| member.lists_words(secret.signer_key())) {
            return Err(Code::WordsOfNobody.into());
        }
        let mut work = inner.work.lock().await;
        for device in devices {
            let ends = inner.ends_of(space, device).await?;
            inner
                .change_membership(&mut work, space, &secret, Vec::new(), |maker| {
                    let disowning = maker.disowning_all_but(heads.clone());
                    disowning.as_ref().unwrap_or(maker).suspend(person, device.into(), ends)
                })
                .await?;
        }
        inner.list_this_device(&mut work, (space, person), &secret).await?;
        inner.take_in(&mut work, space).await?;
        drop(work);
        if !inner.membership(space).await?.state().is_active(inner.me) {
            return Err(Refusal::new(RefusalCode::RoleForbids).into());
        }
        inner.tell(Change::Space(space));
        self.space(space).await
    }
}

impl Inner {
    /// Lists this device in a space with its person's words, if it is not active there: a suspended one is restored.
    pub(crate) async fn list_this_device(
        &self,
        work: &mut Work,
        (space, person): (SpaceId, PersonTag),
        secret: &RecoverySecret,
    ) -> Result<(), Error> {
        let membership = self.membership(space).await?;
        let state = membership.state();
        if state.ended || state.is_active(self.me) {
            return Ok(());
        }
        let by = secret.signer_key();
        let card = self.secret.own_card(&CardForOwn { space, tag: person, by });
        let again = state.suspended.contains(&(person, self.me.into()));
        self.change_membership(work, space, secret, Vec::new(), |maker| {
            if again { maker.restore(person, self.me.into()) } else { maker.device(person, card) }
        })
        .await
    }
}
