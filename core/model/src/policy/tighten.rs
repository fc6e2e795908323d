//! Packs only tighten (DOMAIN 2.11): what is in force is what the shipped pack and every adopted one allow. It is a meet,
//! so neither the order in which packs came nor how often matters, and replicas that know the same packs agree.

use std::collections::{BTreeMap, BTreeSet};

use super::{AgendaOwner, ContentAudience, MeetingPolicy, Origins, OutsideHelp, Pack, Unknown, Vocabulary, Word, has};
use crate::limits::CLOSE_FIELDS_MAX;
use crate::meeting::MeetingKind;
use crate::refusal::{Refusal, RefusalCode};
use crate::session::SessionRole;

/// What is in force: a record for each kind of meeting that this version knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    kinds: BTreeMap<MeetingKind, MeetingPolicy>,
}

impl Policy {
    /// The shipped records, met with those of each of these packs. Records of kinds that this version does not know
    /// change nothing.
    #[must_use]
    pub fn in_force<'a>(packs: impl IntoIterator<Item = &'a Pack>) -> Self {
        let shipped = Pack::shipped().kinds.iter();
        let kinds = shipped.filter_map(|record| Some((record.kind.known()?, record.clone()))).collect();
        packs.into_iter().fold(Self { kinds }, |policy, pack| policy.meet(pack))
    }

    /// The same with one more pack.
    #[must_use]
    pub fn meet(mut self, pack: &Pack) -> Self {
        for record in &pack.kinds {
            if let Some(held) = record.kind.known().and_then(|kind| self.kinds.get_mut(&kind)) {
                *held = held.meet(record);
            }
        }
        self
    }

    /// The record of a kind of meeting.
    #[must_use]
    pub fn kind(&self, kind: MeetingKind) -> &MeetingPolicy {
        self.kinds.get(&kind).expect("the shipped pack has a record for every kind, and packs take none away")
    }

    /// Where a pack says more than the shipped one, as `kind.field`: nothing of it would come into force.
    #[must_use]
    pub fn loosens(pack: &Pack) -> Vec<String> {
        let shipped = Self::in_force([]);
        let known = pack.kinds.iter().filter_map(|record| Some((record, record.kind.known()?)));
        known
            .flat_map(|(record, kind)| {
                record.beyond(shipped.kind(kind)).into_iter().map(move |field| format!("{kind}.{field}"))
            })
            .collect()
    }

    /// Accepts or refuses a pack that somebody wants to adopt.
    ///
    /// # Errors
    /// `PACK_LOOSENS`, with a parameter `path` for each place where it says more than it may.
    pub fn check(pack: &Pack) -> Result<(), Refusal> {
        let paths = Self::loosens(pack);
        if paths.is_empty() {
            return Ok(());
        }
        Err(paths.iter().fold(Refusal::new(RefusalCode::PackLoosens), |refusal, path| refusal.with("path", path)))
    }
}

impl MeetingPolicy {
    /// What both allow. Lists keep the order of this one, which is the shipped record's, so that the result does not
    /// tell in which order packs came.
    fn meet(&self, other: &Self) -> Self {
        let owner = self.owner().meet(other.owner());
        let audience = if self.audience() == other.audience() { self.audience() } else { ContentAudience::Nowhere };
        Self {
            kind: self.kind.clone(),
            agenda_owner: Word::Known(owner),
            proposers: self.proposers_with(other, owner),
            content_audience: Word::Known(audience),
            attendance_projection_max: Word::Known(self.attendance_max().min(other.attendance_max())),
            content_record_rules: common(&self.content_record_rules, &other.content_record_rules),
            evidence_sources: known(&common(&self.evidence_sources, &other.evidence_sources)),
            challenge_topics: common(&self.challenge_topics, &other.challenge_topics),
            information_purposes: common(&self.information_purposes, &other.information_purposes),
            outside_help: self.outside_help.meet(&other.outside_help),
            catalytic_topics: common(&self.catalytic_topics, &other.catalytic_topics),
            personnel_copy: self.personnel_copy && other.personnel_copy,
            discretion_recipients: common(&self.discretion_recipients, &other.discretion_recipients),
            disclosure_grounds: common(&self.disclosure_grounds, &other.disclosure_grounds),
            required_close_fields: self.asked_with(other).into_iter().take(CLOSE_FIELDS_MAX).map(Word::Known).collect(),
            unknown: self.unknown.clone(),
        }
    }

    /// What those may bring in both whose the agenda is not in both.
    fn proposers_with(
        &self,
        other: &Self,
        owner: AgendaOwner,
    ) -> BTreeMap<Word<SessionRole>, Vec<Word<super::AgendaOrigin>>> {
        let others = SessionRole::ALL.iter().filter(|role| !owner.roles().contains(role));
        let listed = others.filter_map(|role| {
            let origins = match (self.origins(*role), other.origins(*role)) {
                (Origins::Listed(one), Origins::Listed(two)) => one.intersection(&two).copied().collect(),
                (Origins::Listed(origins), Origins::All) | (Origins::All, Origins::Listed(origins)) => origins,
                // Both own it, so that it is theirs still.
                (Origins::All, Origins::All) => BTreeSet::new(),
            };
            let words: Vec<_> = origins.into_iter().map(Word::Known).collect();
            (!words.is_empty()).then_some((Word::Known(*role), words))
        });
        listed.collect()
    }

    /// What closing is asked for by either, in the order of the vocabulary. The first few of a union of unions are the
    /// same in whatever order they are united.
    fn asked_with(&self, other: &Self) -> BTreeSet<super::CloseField> {
        let both = self.required_close_fields.iter().chain(&other.required_close_fields);
        both.filter_map(Word::known).collect()
    }

    /// The fields in which this record says more than `shipped`. A word of a newer version permits nothing, so that it
    /// is not more.
    fn beyond(&self, shipped: &Self) -> Vec<&'static str> {
        let owners = self.owner().roles();
        let proposes = |role: &SessionRole| match (self.origins(*role), shipped.origins(*role)) {
            (Origins::Listed(own), Origins::Listed(theirs)) => !own.is_subset(&theirs),
            // Said of the owner already.
            (Origins::All, Origins::All | Origins::Listed(_)) | (Origins::Listed(_), Origins::All) => false,
        };
        let audience = self.audience();
        let asked =
            self.required_close_fields.len() > CLOSE_FIELDS_MAX || self.asked_with(shipped).len() > CLOSE_FIELDS_MAX;
        let (help, theirs) = (&self.outside_help, &shipped.outside_help);
        let checks = [
            ("agenda_owner", !owners.iter().all(|role| shipped.owner().roles().contains(role))),
            ("proposers", SessionRole::ALL.iter().any(proposes)),
            ("content_audience", audience != ContentAudience::Nowhere && audience != shipped.audience()),
            ("attendance_projection_max", self.attendance_max() > shipped.attendance_max()),
            ("content_record_rules", more(&self.content_record_rules, &shipped.content_record_rules)),
            ("evidence_sources", more(&known(&self.evidence_sources), &shipped.evidence_sources)),
            ("challenge_topics", more(&self.challenge_topics, &shipped.challenge_topics)),
            ("information_purposes", more(&self.information_purposes, &shipped.information_purposes)),
            ("outside_help.allowed", help.allowed && !theirs.allowed),
            ("outside_help.except", !help.allowed && !help.except.iter().all(|word| theirs.permits(word))),
            ("catalytic_topics", more(&self.catalytic_topics, &shipped.catalytic_topics)),
            ("personnel_copy", self.personnel_copy && !shipped.personnel_copy),
            ("discretion_recipients", more(&self.discretion_recipients, &shipped.discretion_recipients)),
            ("disclosure_grounds", more(&self.disclosure_grounds, &shipped.disclosure_grounds)),
            ("required_close_fields", asked),
        ];
        checks.into_iter().filter_map(|(field, is_more)| is_more.then_some(field)).collect()
    }
}

impl AgendaOwner {
    /// Those who own the agenda in both.
    fn meet(self, other: Self) -> Self {
        let both: Vec<SessionRole> = self.roles().iter().copied().filter(|role| other.roles().contains(role)).collect();
        Self::ALL.iter().copied().find(|owner| owner.roles() == both).unwrap_or(Self::Nobody)
    }
}

impl OutsideHelp {
    fn permits(&self, what: &str) -> bool {
        self.allowed || has(&self.except, what)
    }

    /// What both permit: where one permits anything, what the other does.
    fn meet(&self, other: &Self) -> Self {
        let except = match (self.allowed, other.allowed) {
            (true, true) => Vec::new(),
            (true, false) => sorted(&other.except),
            (false, true) => sorted(&self.except),
            (false, false) => sorted(&common(&self.except, &other.except)),
        };
        Self { allowed: self.allowed && other.allowed, except, unknown: Unknown::new() }
    }
}

/// What stands in both, in the order of the first.
fn common<T: PartialEq + Clone>(one: &[T], other: &[T]) -> Vec<T> {
    one.iter().filter(|word| other.contains(word)).cloned().collect()
}

/// Whether the first has something that the second has not.
fn more<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.iter().any(|word| !other.contains(word))
}

/// Those that this version knows.
fn known<E: Vocabulary>(words: &[Word<E>]) -> Vec<Word<E>> {
    words.iter().filter_map(Word::known).map(Word::Known).collect()
}

/// In the order of the letters, each once: it may be that only packs list them.
fn sorted(words: &[String]) -> Vec<String> {
    let words: BTreeSet<&String> = words.iter().collect();
    words.into_iter().cloned().collect()
}
