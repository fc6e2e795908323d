//! One person for each role in a space of each kind, with something of their own in the home of their devices.

use std::collections::BTreeMap;

use alliance_client::{Client, DeviceKey, DocumentId, MemberView, NewSpace, PersonTag, Role, SpaceId};
use alliance_model::preparation::{Feeling, PreparationCommand, PreparationValue};
use alliance_model::session::{SessionCommand, SessionValue};
use alliance_model::{Command, DocumentKind, ItemId, Splice};
use alliance_tests::hostile::{admit_as, meet};
use alliance_tests::people::{Person, add_device, insert};

/// What everybody has prepared.
pub(crate) const ENTRY: ItemId = ItemId([1; 8]);
/// More persons than there are roles: what refuses a further one is the role and not the number.
const PERSONS_MAX: u16 = 8;

/// In which role somebody attempts something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Founded the space.
    Steward,
    /// May sign for an office.
    Signer,
    /// Writes.
    Writer,
    /// Reads: in a joint space from the beginning, in a group since the steward said so.
    Reader,
    /// Was a writer, and left.
    Former,
    /// Was a writer, and the steward put it out.
    Removed,
    /// A further device of the writer's, or at home of the only person, which that person suspended.
    Suspended,
}

impl Who {
    /// As the table names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Steward => "steward",
            Self::Signer => "signer",
            Self::Writer => "writer",
            Self::Reader => "reader",
            Self::Former => "former",
            Self::Removed => "removed",
            Self::Suspended => "suspended",
        }
    }

    const fn person(self) -> &'static str {
        match self {
            Self::Steward => "Ben",
            Self::Signer => "Chen",
            Self::Writer | Self::Suspended => "Amina",
            Self::Reader => "Dina",
            Self::Former => "Farid",
            Self::Removed => "Gita",
        }
    }

    /// What this person put on an agenda.
    pub(crate) const fn item(self) -> ItemId {
        match self {
            Self::Steward => ItemId([11; 8]),
            Self::Signer => ItemId([12; 8]),
            Self::Writer | Self::Suspended => ItemId([13; 8]),
            Self::Reader => ItemId([14; 8]),
            Self::Former => ItemId([15; 8]),
            Self::Removed => ItemId([16; 8]),
        }
    }

    /// Writes to the end, and has decided something.
    pub(crate) const fn decides(self) -> bool {
        match self {
            Self::Steward | Self::Signer | Self::Writer => true,
            Self::Reader | Self::Former | Self::Removed | Self::Suspended => false,
        }
    }

    /// Somebody else, who is a member.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Steward | Self::Signer | Self::Reader | Self::Former | Self::Removed => Self::Writer,
            Self::Writer | Self::Suspended => Self::Signer,
        }
    }
}

/// A kind of space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nobody expels anybody.
    Joint,
    /// Belongs to its steward.
    Group,
    /// The home of one person's devices.
    Personal,
}

impl Kind {
    pub(crate) const ALL: &'static [Self] = &[Self::Joint, Self::Group, Self::Personal];

    /// As the table names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Joint => "joint",
            Self::Group => "group",
            Self::Personal => "personal",
        }
    }

    /// Who can be there.
    pub(crate) const fn roles(self) -> &'static [Who] {
        use Who::{Former, Reader, Removed, Signer, Steward, Suspended, Writer};
        match self {
            Self::Joint => &[Steward, Signer, Writer, Reader, Former, Suspended],
            Self::Group => &[Steward, Signer, Writer, Reader, Former, Removed, Suspended],
            Self::Personal => &[Steward, Suspended],
        }
    }

    /// Those who are persons of their own beside the steward.
    fn newcomers(self) -> impl Iterator<Item = Who> {
        self.roles().iter().copied().filter(|who| !matches!(who, Who::Steward | Who::Suspended))
    }

    /// In which role somebody comes in. In a group, who reads only has written before.
    const fn role_of(self, who: Who) -> Role {
        match (self, who) {
            (_, Who::Signer) => Role::Signer,
            (Self::Joint | Self::Personal, Who::Reader) => Role::Reader,
            (Self::Group, Who::Reader) => Role::Writer,
            (_, Who::Steward | Who::Writer | Who::Former | Who::Removed | Who::Suspended) => Role::Writer,
        }
    }

    /// Who has written something before everybody came to the role in which it attempts something.
    pub(crate) const fn wrote(self, who: Who) -> bool {
        match who {
            Who::Steward | Who::Signer | Who::Writer | Who::Former | Who::Removed => true,
            Who::Reader => matches!(self, Self::Group),
            Who::Suspended => false,
        }
    }

    /// Whose further device is suspended.
    pub(crate) const fn owner_of_two(self) -> Who {
        match self {
            Self::Joint | Self::Group => Who::Writer,
            Self::Personal => Who::Steward,
        }
    }
}

/// What a person has for itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own {
    /// The person in the space.
    pub(crate) tag: PersonTag,
    /// The device.
    pub(crate) device: DeviceKey,
    /// The home of its devices.
    pub(crate) home: SpaceId,
    /// What it prepared.
    pub(crate) log: DocumentId,
    /// A note at home.
    pub(crate) note: DocumentId,
    /// A session at home.
    pub(crate) session: DocumentId,
}

/// The people of a space.
pub(crate) struct People {
    pub(crate) kind: Kind,
    pub(crate) space: SpaceId,
    pub(crate) all: BTreeMap<Who, Person>,
    pub(crate) own: BTreeMap<Who, Own>,
}

impl People {
    /// The steward with a space that nobody else is in yet.
    pub(crate) async fn alone(kind: Kind) -> Self {
        let (mut all, mut own) = (BTreeMap::new(), BTreeMap::new());
        for who in kind.roles() {
            let person = Person::new(who.person()).await;
            if *who != Who::Suspended {
                own.insert(*who, prepared(&person.client).await);
            }
            all.insert(*who, person);
        }
        let founds = match kind {
            Kind::Joint => Some(NewSpace::Peers(PERSONS_MAX)),
            Kind::Group => Some(NewSpace::Group),
            Kind::Personal => None,
        };
        let space = match founds {
            Some(founds) => all[&Who::Steward].client.create_space("The matrix", founds).await.unwrap().space,
            None => own[&Who::Steward].home,
        };
        Self { kind, space, all, own }
    }

    /// Everybody comes in.
    pub(crate) async fn gather(&mut self) {
        for who in self.kind.newcomers() {
            let role = self.kind.role_of(who);
            admit_as(self.client(Who::Steward), self.space, self.client(who), role).await;
        }
        let owner = self.kind.owner_of_two();
        add_device(&self.all[&owner], &self.all[&Who::Suspended]).await;
        // Told of, asked for, listed, brought.
        for _ in 0..4 {
            meet(self.client(owner), self.client(Who::Suspended)).await;
        }
        self.exchange().await;
        let members = self.client(Who::Steward).space(self.space).await.unwrap().members;
        for (who, own) in &mut self.own {
            own.tag = tag_of(&members, self.all[who].client.whoami().device);
        }
        let device = self.client(Who::Suspended).whoami().device;
        let further = Own { device, ..self.own[&owner] };
        self.own.insert(Who::Suspended, further);
    }

    pub(crate) fn client(&self, who: Who) -> &Client {
        &self.all[&who].client
    }

    /// Everybody has everything, the suspended device as well, which is none yet.
    pub(crate) async fn exchange(&self) {
        for _ in 0..2 {
            for who in self.kind.newcomers() {
                self.meet(Who::Steward, who).await;
            }
            self.meet(self.kind.owner_of_two(), Who::Suspended).await;
        }
    }

    /// Those who are still in have everything.
    pub(crate) async fn exchange_among_members(&self) {
        for _ in 0..2 {
            for who in self.kind.newcomers().filter(|who| !matches!(who, Who::Former | Who::Removed)) {
                self.meet(Who::Steward, who).await;
            }
        }
    }

    /// Two meet directly; what both have typed is sealed.
    pub(crate) async fn meet(&self, listens: Who, dials: Who) {
        // Who is dialled seals when it is done, not because somebody calls.
        self.client(listens).seal_all().await.unwrap();
        meet(self.client(listens), self.client(dials)).await;
    }
}

fn tag_of(members: &[MemberView], device: DeviceKey) -> PersonTag {
    members.iter().find(|member| member.devices.contains(&device)).unwrap().person
}

/// Somebody prepares something, and writes a note and a session, at home.
async fn prepared(client: &Client) -> Own {
    let log = client.preparation().await.unwrap();
    let entry = [
        PreparationCommand::AddEntry { id: ENTRY, after: None },
        PreparationCommand::EditEntry { id: ENTRY, splice: Splice::insert(0, "The locked kitchen") },
        PreparationCommand::SetEntry { id: ENTRY, value: PreparationValue::Priority(1) },
        PreparationCommand::AddFeeling { id: ENTRY, feeling: Feeling::Shame },
    ];
    write(client, log, entry.map(Command::Preparation).to_vec()).await;
    let home = client.view(log).await.unwrap().space;
    let note = client.create_document(home, DocumentKind::Note).await.unwrap();
    write(client, note, vec![insert(0, "For myself. ")]).await;
    let session = client.create_document(home, DocumentKind::Session).await.unwrap();
    let place = SessionCommand::Set { value: SessionValue::Place("at home".to_owned()) };
    write(client, session, vec![Command::Session(place)]).await;
    client.seal_all().await.unwrap();
    let tag = client.space(home).await.unwrap().members[0].person;
    Own { tag, device: client.whoami().device, home, log, note, session }
}

/// Does something to a document.
pub(crate) async fn write(client: &Client, document: DocumentId, commands: Vec<Command>) {
    // What somebody answers is what was shown.
    client.view(document).await.unwrap();
    for command in commands {
        client.command(document, None, command).await.unwrap();
    }
}
