//! Documents that a table describes: one set of commands for all of them.

mod charter;
mod feedback;
mod items;
mod opened;
mod signing;
mod writing;

use alliance_model::DocumentKind;

use super::Call;
use super::note::list;
use crate::cli::{
    ClosingCommand, ContractCommand, FormNoun, GoalCommand, RemarkAdd, RemarkCommand, ReviewCommand, SignedCommand,
};
use crate::failure::Failure;
use opened::Named;

pub(crate) use signing::{prove, say_file};

pub(super) async fn form(noun: &FormNoun, call: &Call) -> Result<(), Failure> {
    match noun {
        FormNoun::Charter(command) => charter::charter(command, call).await,
        FormNoun::Contract(command) => contract(command, call).await,
        FormNoun::Goal(command) => goal(command, call).await,
        FormNoun::Feedback(command) => feedback::feedback(command, call).await,
        FormNoun::Remark(command) => remark(command, call).await,
        FormNoun::Review(command) => review(command, call).await,
        FormNoun::Closing(command) => closing(command, call).await,
        FormNoun::Signed(SignedCommand::Prove { file }) => prove(&call.folder.join(file), &call.teller).await,
    }
}

async fn contract(command: &ContractCommand, call: &Call) -> Result<(), Failure> {
    let of = |id| Named::Document(DocumentKind::Contract, id);
    match command {
        ContractCommand::New { space } => writing::begin(DocumentKind::Contract, space, call).await,
        ContractCommand::List(filter) => list(filter, DocumentKind::Contract, call).await,
        ContractCommand::Show { contract } => opened::show(of(contract), "", call).await,
        ContractCommand::Edit { contract, field, source: _ } => writing::edit(of(contract), field, call).await,
        ContractCommand::Set { contract, field, value } => writing::set(of(contract), field, value, call).await,
        ContractCommand::Clear { contract, field } => writing::clear(of(contract), field, call).await,
        ContractCommand::Put { contract, set, value } => writing::put(of(contract), set, value, call).await,
        ContractCommand::Take { contract, set, value } => writing::take(of(contract), set, value, call).await,
        ContractCommand::Say { contract, said } => writing::say(of(contract), said, None, call).await,
        ContractCommand::Sign { contract, sign } => signing::sign(of(contract), sign, call).await,
        ContractCommand::Give { contract, given } => signing::give(of(contract), given, call).await,
    }
}

async fn review(command: &ReviewCommand, call: &Call) -> Result<(), Failure> {
    let of = |id| Named::Document(DocumentKind::Review, id);
    match command {
        ReviewCommand::New { space } => writing::begin(DocumentKind::Review, space, call).await,
        ReviewCommand::List(filter) => list(filter, DocumentKind::Review, call).await,
        ReviewCommand::Show { review } => opened::show(of(review), "", call).await,
        ReviewCommand::Edit { review, field, source: _ } => writing::edit(of(review), field, call).await,
        ReviewCommand::Set { review, field, value } => writing::set(of(review), field, value, call).await,
        ReviewCommand::Answer { review, question, source: _ } => items::answer(of(review), question, call).await,
        ReviewCommand::Say { review, said } => writing::say(of(review), said, None, call).await,
        ReviewCommand::Sign { review, sign } => signing::sign(of(review), sign, call).await,
        ReviewCommand::Give { review, given } => signing::give(of(review), given, call).await,
    }
}

async fn closing(command: &ClosingCommand, call: &Call) -> Result<(), Failure> {
    let of = |id| Named::Document(DocumentKind::Closing, id);
    match command {
        ClosingCommand::New { space } => writing::begin(DocumentKind::Closing, space, call).await,
        ClosingCommand::List(filter) => list(filter, DocumentKind::Closing, call).await,
        ClosingCommand::Show { closing } => opened::show(of(closing), "", call).await,
        ClosingCommand::Edit { closing, field, source: _ } => writing::edit(of(closing), field, call).await,
        ClosingCommand::Set { closing, field, value } => writing::set(of(closing), field, value, call).await,
        ClosingCommand::Sign { closing, sign } => signing::sign(of(closing), sign, call).await,
        ClosingCommand::Give { closing, given } => signing::give(of(closing), given, call).await,
    }
}

async fn goal(command: &GoalCommand, call: &Call) -> Result<(), Failure> {
    let of = |space| Named::OfSpace(DocumentKind::Goals, space);
    match command {
        GoalCommand::List { space } => {
            let none = "There is no goal yet; write one down with `alliance goal add SPACE --text ...`.";
            opened::show(of(space), none, call).await
        }
        GoalCommand::Add { space, area, source: _ } => {
            items::add(of(space), "goal", &[("area", area.as_deref())], call).await
        }
        GoalCommand::Edit { space, goal, source: _ } => items::edit(of(space), goal, call).await,
        GoalCommand::Set { space, goal, field, value } => items::set(of(space), goal, (field, value), call).await,
        GoalCommand::Remove { space, goal } => items::remove(of(space), goal, call).await,
        GoalCommand::Say { space, said, item } => writing::say(of(space), said, Some(item), call).await,
    }
}

async fn remark(command: &RemarkCommand, call: &Call) -> Result<(), Failure> {
    let of = |space| Named::OfSpace(DocumentKind::Remarks, space);
    match command {
        RemarkCommand::List { space } => {
            let none = "There is no remark yet; make one with `alliance remark add SPACE perspective --text ...`.";
            opened::show(of(space), none, call).await
        }
        RemarkCommand::Add(args) => items::add(of(&args.space), &args.list, &fields_of(args), call).await,
        RemarkCommand::Edit { space, remark, source: _ } => items::edit(of(space), remark, call).await,
        RemarkCommand::Set { space, remark, field, value } => items::set(of(space), remark, (field, value), call).await,
        RemarkCommand::Remove { space, remark } => items::remove(of(space), remark, call).await,
        RemarkCommand::Say { space, said, item } => writing::say(of(space), said, Some(item), call).await,
    }
}

fn fields_of(args: &RemarkAdd) -> [(&'static str, Option<&str>); 6] {
    [
        ("of", args.of.as_deref()),
        ("topic", args.topic.as_deref()),
        ("evidence", args.evidence.as_deref()),
        ("evidence_session", args.evidence_session.as_deref()),
        ("clause", args.clause.as_deref()),
        ("session", args.session.as_deref()),
    ]
}
