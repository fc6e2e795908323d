//! Invitations as codes: on the terminal and in files.

use std::path::Path;

use alliance_client::{Code, InviteView};

use crate::cli::Drawing;
use crate::code::{self, Matrix};
use crate::command::Call;
use crate::failure::Failure;
use crate::pictures::{Place, numbered};

/// What will be drawn for each of some invitations: places in files are taken before the invitations are made, so that
/// a name in use or a folder that cannot be written makes none.
pub(super) struct Drawings {
    qr: bool,
    /// For each invitation.
    pngs: Vec<Place>,
    svgs: Vec<Place>,
}

/// What was drawn for an invitation.
#[derive(Default)]
pub(super) struct Drawn {
    /// The lines for a terminal, where they are wanted.
    pub(super) lines: Option<Vec<String>>,
    /// The files that were written.
    pub(super) files: Vec<String>,
}

impl Drawings {
    /// Takes the places.
    pub(super) fn prepare(drawing: &Drawing, count: u16, call: &Call) -> Result<Self, Failure> {
        let take = |path: &Option<std::path::PathBuf>| -> Result<Vec<Place>, Failure> {
            let paths = path.as_deref().map_or_else(Vec::new, |path: &Path| numbered(&call.folder.join(path), count));
            paths.into_iter().map(Place::take).collect()
        };
        Ok(Self { qr: drawing.qr, pngs: take(&drawing.png)?, svgs: take(&drawing.svg)? })
    }

    /// Draws each invitation. A failure names it: it is made by then, and `invite show` draws it again.
    pub(super) fn draw(self, invites: &[InviteView]) -> Result<Vec<Drawn>, Failure> {
        let (mut pngs, mut svgs) = (self.pngs.into_iter(), self.svgs.into_iter());
        let mut all = Vec::new();
        for invite in invites {
            let drawn = draw(invite, self.qr, pngs.next(), svgs.next());
            all.push(drawn.map_err(|failure| failure.with("invitation", &invite.id))?);
        }
        Ok(all)
    }
}

fn draw(invite: &InviteView, qr: bool, png: Option<Place>, svg: Option<Place>) -> Result<Drawn, Failure> {
    let mut drawn = Drawn::default();
    if !qr && png.is_none() && svg.is_none() {
        return Ok(drawn);
    }
    let internal = || Failure::from(alliance_client::Error::new(Code::Internal));
    // The longest invitation fits a code with room to spare (`code`).
    let matrix = Matrix::of(&invite.text).ok_or_else(internal)?;
    drawn.lines = qr.then(|| code::lines(&matrix));
    if let Some(place) = png {
        let bytes = code::png(&matrix).map_err(|_| internal())?;
        drawn.files.push(place.fill(&bytes)?.display().to_string());
    }
    if let Some(place) = svg {
        drawn.files.push(place.fill(&code::svg(&matrix))?.display().to_string());
    }
    Ok(drawn)
}
