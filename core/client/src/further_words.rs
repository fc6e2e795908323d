//! The recovery words of one's own person: further ones, and taking them back (PROTOCOL section 1, recovery words).
//!
//! Every space lists a person's words, the oldest first, and older ones outrank younger ones. Further words open
//! everything as the first do, from another paper in another place. They cannot undo what the first ones say; the first
//! ones put them out for good where somebody else may have read them.

use std::collections::BTreeMap;

use alliance_crypto::Secret as _;
use alliance_model::{Refusal, RefusalCode};
use alliance_wire::SignerKey;

use crate::devices::Verdict;
use crate::error::{Code, Error};
use crate::inner::Client;
use crate::reference::{begins, only};
use crate::views::{Change, OwnWords};

impl Client {
    /// The recovery words that the spaces list for this person, by their keys: the oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn words(&self) -> Result<Vec<OwnWords>, Error> {
        let mut found: BTreeMap<SignerKey, (usize, OwnWords)> = BTreeMap::new();
        for (space, membership) in self.inner.own_spaces().await? {
            let state = membership.state();
            let Some(person) = self.inner.own_person(state) else { continue };
            let listed = state.members.get(&person).into_iter().flat_map(|member| &member.recovery);
            let listed = listed.enumerate().map(|(rank, card)| (card.signer, rank, true));
            let device = |key: &SignerKey| state.devices_of(person).any(|device| SignerKey::from(device) == *key);
            let out = state.lost.iter().chain(&state.suspended).filter(|(whose, _)| *whose == person);
            let out = out.filter(|(_, key)| !device(key)).map(|(_, key)| (*key, usize::MAX, false));
            for (key, rank, active) in listed.chain(out) {
                let (best, view) = found.entry(key).or_insert_with(|| (rank, OwnWords::new(key)));
                *best = rank.min(*best);
                if active { view.active.push(space) } else { view.out.push(space) }
            }
        }
        let mut views: Vec<_> = found.into_values().collect();
        views.sort_by_key(|(rank, view)| (*rank, std::cmp::Reverse(view.active.len()), view.key));
        Ok(views.into_iter().map(|(_, view)| view).collect())
    }

    /// Lists further words in every space where `words`, which are this person's, are listed and the further ones are
    /// not yet: again after a space came in later. They should stand on paper by then
    /// ([`alliance_crypto::RecoveryWords::asked_back`]).
    ///
    /// # Errors
    /// `BAD_RECOVERY_WORDS`, `WORDS_OF_NOBODY` (`words` are not this person's), `ROLE_FORBIDS` (both are the same, or
    /// `words` or the further ones were put out), and those of the store.
    pub async fn add_words(&self, words: &str, further: &str) -> Result<OwnWords, Error> {
        let inner = &self.inner;
        let secret = inner.words_secret(words).await?;
        let card = inner.words_secret(further).await?.card();
        let (by, mut known) = (secret.signer_key(), false);
        if by == card.signer {
            return Err(Refusal::new(RefusalCode::RoleForbids).into());
        }
        for (space, membership) in inner.own_spaces().await? {
            let state = membership.state();
            let Some(person) = inner.own_person(state) else { continue };
            let lists = |key: SignerKey| state.members.get(&person).is_some_and(|member| member.lists_words(key));
            if !lists(by) {
                continue;
            }
            known = true;
            if lists(card.signer) || state.ended {
                continue;
            }
            let mut work = inner.work.lock().await;
            inner
                .change_membership(&mut work, space, &secret, Vec::new(), |maker| maker.recovery(person, card))
                .await?;
            inner.take_in(&mut work, space).await?;
        }
        if !known {
            return Err(Code::WordsOfNobody.into());
        }
        self.inner.tell(Change::Status);
        self.own_words(card.signer).await
    }

    /// Puts further words out for good, in every space, with older ones: `key` is the beginning of their key. They read
    /// and sign nothing more from then on.
    ///
    /// # Errors
    /// `BAD_RECOVERY_WORDS`, `WORDS_OF_NOBODY`, `UNKNOWN_WORDS`, `AMBIGUOUS`, `ROLE_FORBIDS` (they are the older ones),
    /// and those of the store.
    pub async fn withdraw_words(&self, key: &str, words: &str) -> Result<OwnWords, Error> {
        let all = self.words().await?.into_iter().map(|view| view.key);
        let target = only(all.filter(|known| begins(known, key.trim())), Code::UnknownWords, "words", key)?;
        self.inner.judge_key(target, words, Verdict::Lost).await?;
        self.own_words(target).await
    }

    async fn own_words(&self, key: SignerKey) -> Result<OwnWords, Error> {
        let all = self.words().await?;
        all.into_iter().find(|view| view.key == key).ok_or_else(|| Code::UnknownWords.into())
    }
}
