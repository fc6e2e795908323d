//! A forgotten PIN with the help of somebody whom the person named while she knew it.

use alliance_crypto::{HELP_DEVICES_MAX, HelpAnswer, HelpError, HelpRequest, HelpSecret, KeyBytes};
use alliance_net::ArmorError;
use alliance_store::profiles::ProfileId;
use alliance_wire::{BoxKey, DeviceKey, SpaceId};

use super::{Profiles, choosable};
use crate::error::{Code, Error};
use crate::inner::{Client, Inner};

const REQUEST: &str = "alliance-help:";
const ANSWER: &str = "alliance-helped:";
const VERSION: u8 = 1;

/// A request that was shown and waits for its answer. It lives in memory alone.
pub struct HelpAsk {
    /// The text for the helper. It holds no secret.
    pub text: String,
    secret: HelpSecret,
}

impl core::fmt::Debug for HelpAsk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HelpAsk").field("text", &self.text).finish_non_exhaustive()
    }
}

impl Profiles {
    /// Names a member of a space, by name, as the one who can help when the PIN is forgotten, in place of who was named
    /// before. `client` is the profile, open. Answers the helper's devices.
    ///
    /// # Errors
    /// `UNKNOWN_PROFILE` if another store is open, `UNKNOWN_SPACE`, `UNKNOWN_HELPER`, `LOW_STORAGE`, `STORE_IO`.
    pub async fn set_helper(
        &self,
        id: &ProfileId,
        client: &Client,
        space: SpaceId,
        person: &str,
    ) -> Result<Vec<DeviceKey>, Error> {
        self.is_open_as(id, client)?;
        let helper = client.inner.boxes_of(space, person).await?;
        let (own, theirs) = (self.around.bytes()?, KeyBytes::new(self.around.bytes()?));
        let (folder, id, random) = (self.folder.clone(), id.clone(), self.around.bytes()?);
        let key = client.store_key();
        self.around
            .blocking(move || {
                let wrap = folder.set_helper(&id, &key, &helper, (own, &theirs), random)?;
                Ok(wrap.ok_or(Code::UnknownHelper)?.devices().collect())
            })
            .await
    }

    /// Lets nobody help any more. What was copied of the folder before is not reached by it.
    ///
    /// # Errors
    /// `UNKNOWN_PROFILE` if another store is open, `STORE_IO`.
    pub async fn remove_helper(&self, id: &ProfileId, client: &Client) -> Result<(), Error> {
        self.is_open_as(id, client)?;
        let (folder, id) = (self.folder.clone(), id.clone());
        self.around.blocking(move || Ok(folder.remove_helper(&id)?)).await
    }

    /// A request to show to the helper.
    ///
    /// # Errors
    /// `HELP_ABSENT`, `STORE_IO`.
    pub async fn ask_help(&self, id: &ProfileId) -> Result<HelpAsk, Error> {
        let secret = HelpSecret::from_seed(self.around.bytes()?);
        let (folder, id) = (self.folder.clone(), id.clone());
        let found = self.around.blocking(move || Ok(folder.help(&id)?)).await?;
        let (wrap, place) = found.ok_or(Code::HelpAbsent)?;
        let content = alliance_wire::codec::encode(&wrap.ask(&place, &secret));
        Ok(HelpAsk { text: alliance_net::write_armor(REQUEST, VERSION, &content), secret })
    }

    /// Puts a new PIN in the place of one that was forgotten, by the helper's answer. Answers which device gave it.
    ///
    /// # Errors
    /// `PIN_WEAK`, `HELP_TEXT_DAMAGED`, `HELP_FOREIGN`, `HELP_ABSENT`: nothing was changed.
    pub async fn reset_helped(
        &self,
        id: &ProfileId,
        ask: &HelpAsk,
        answer: &str,
        new: &str,
    ) -> Result<DeviceKey, Error> {
        choosable(new)?;
        let answer: HelpAnswer = read(ANSWER, answer)?;
        let (folder, own) = (self.folder.clone(), id.clone());
        let found = self.around.blocking(move || Ok(folder.help(&own)?)).await?;
        let (wrap, place) = found.ok_or(Code::HelpAbsent)?;
        let (key, device) = wrap.open(&place, &ask.secret, &answer).map_err(foreign)?;
        self.set_pin(id, alliance_store::StoreKey::from(key), new).await?;
        Ok(device)
    }
}

impl Client {
    /// The answer to somebody's request for help with a forgotten PIN, signed by this device. Whoever has the answer and
    /// the asking device sets a new PIN there: make sure who asks.
    ///
    /// # Errors
    /// `HELP_TEXT_DAMAGED`, `HELP_FOREIGN` if somebody else was named.
    pub fn vouch(&self, request: &str) -> Result<String, Error> {
        let request: HelpRequest = read(REQUEST, request)?;
        let answer = request.answer(&self.inner.secret, self.inner.around.bytes()?).map_err(foreign)?;
        Ok(alliance_net::write_armor(ANSWER, VERSION, &alliance_wire::codec::encode(&answer)))
    }
}

impl Inner {
    /// The devices of a member of this name, with their box keys.
    async fn boxes_of(&self, space: SpaceId, person: &str) -> Result<Vec<(DeviceKey, BoxKey)>, Error> {
        let directory = self.directory(space).await?;
        let membership = self.spaces.membership(space).await?.ok_or(Code::UnknownSpace)?;
        let state = membership.state();
        let me = state.person_of(self.me);
        let named = state.members.iter().find(|(tag, _)| Some(**tag) != me && directory.person(**tag) == person);
        let (_, member) = named.ok_or(Code::UnknownHelper)?;
        Ok(member.devices.iter().take(HELP_DEVICES_MAX).map(|(device, boxes)| (*device, *boxes)).collect())
    }
}

/// What a text holds.
fn read<T: for<'b> minicbor::Decode<'b, ()>>(word: &'static str, text: &str) -> Result<T, Error> {
    let damaged = |why: &dyn core::fmt::Display| Error::new(Code::HelpTextDamaged).with("why", why);
    let content = alliance_net::read_armor(word, VERSION, text).map_err(|error: ArmorError| damaged(&error))?;
    alliance_wire::codec::decode(&content).map_err(|error| damaged(&error))
}

fn foreign(error: HelpError) -> Error {
    Error::new(Code::HelpForeign).with("why", error)
}
