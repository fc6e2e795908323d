//! From the process's arguments to its exit status.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use alliance_client::{Client, Code, Options};
use clap::Parser as _;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use crate::cli::{
    Cli, Command, Common, DecisionCommand, ExportArgs, ExportCommand, FormNoun, InitArgs, KeyringCommand, PackCommand,
    SignedCommand, WordsCommand,
};
use crate::command::{self, Call};
use crate::exit::Status;
use crate::failure::{DeskCode, Failure};
use crate::holder::{self, Proof, Request, Serving};
use crate::output::{self, Answer, Look, Teller};
use crate::place::Place;
use crate::unlock::Unlock;
use crate::words::WordsFile;
use crate::{demo, input, place, secret, threads, words};

/// How long a command waits for another one that holds the store and will soon be done, or will soon serve.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks at a busy store.
const PAUSE: Duration = Duration::from_millis(40);

/// Runs the command of these arguments, the program's name first.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    leave_no_core_file();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage(&error, &arguments).0),
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error")))
        .with_writer(std::io::stderr)
        .init();
    let runtime = match threads::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::from(DeskCode::NoThreads).with("reason", error.kind());
            output::print_err(&failure.print(cli.common.json));
            return ExitCode::from(Status::MACHINE.0);
        }
    };
    let status = runtime.block_on(async {
        let (teller, lines) = Teller::new(Look::of_stdout(cli.common.json));
        let work = async move {
            match start(&cli, &arguments, &teller).await {
                Ok(Done::Here) => teller.end(&Ok(())).await,
                Ok(Done::Elsewhere(status)) => teller.ended(status).await,
                Err(failure) => teller.end(&Err(failure)).await,
            }
        };
        let ((), status) = tokio::join!(work, output::print(lines));
        status
    });
    // A question on the terminal that was interrupted still waits for its answer.
    runtime.shutdown_background();
    ExitCode::from(status)
}

/// No core file of this process: it would hold keys. The limit keeps the kernel from writing one; where a program takes
/// core files, as on most desktops, the limit does not count, and only the second call does. What refuses either has none
/// to write.
fn leave_no_core_file() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Help and version are answers; anything else that clap says is a failure.
fn usage(error: &clap::Error, arguments: &[OsString]) -> Status {
    if !error.use_stderr() {
        output::print_out(&error.render().to_string());
        return Status::OK;
    }
    let as_json = arguments.iter().any(|argument| argument == "--json");
    if as_json {
        let text = error.render().to_string();
        let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let reason = lines.join(" ");
        let failure = Failure::from(DeskCode::Usage).with("reason", reason.strip_prefix("error: ").unwrap_or(&reason));
        output::print_err(&failure.print(true));
    } else {
        output::print_err(&error.render().to_string());
    }
    Status::USAGE
}

/// Where a command was done.
enum Done {
    Here,
    /// By the process that holds the store, with this status; it has said everything.
    Elsewhere(u8),
}

async fn start(cli: &Cli, arguments: &[OsString], teller: &Teller) -> Result<Done, Failure> {
    match &cli.command {
        Command::Init(args) => init(&cli.common, args, teller).await,
        Command::Restore { file } => restore(&cli.common, file, teller).await,
        Command::Keyring(KeyringCommand::Off) => {
            command::keyring::off(&Place::of(&cli.common).await?.store(), teller).await.map(|()| Done::Here)
        }
        Command::Keyring(KeyringCommand::Status) => {
            command::keyring::status(&Place::of(&cli.common).await?.store(), teller).await.map(|()| Done::Here)
        }
        Command::Doctor { salvage } => {
            let place = Place::of(&cli.common).await?;
            let unlock = Unlock::by_person(&cli.common, &place, teller).await?;
            command::doctor(&place.store(), &unlock, *salvage, teller).await.map(|()| Done::Here)
        }
        Command::Decision(DecisionCommand::Prove { file }) => {
            command::decision::prove(&current_folder()?.join(file), teller).await.map(|()| Done::Here)
        }
        Command::Form(FormNoun::Signed(SignedCommand::Prove { file })) => {
            command::form::prove(&current_folder()?.join(file), teller).await.map(|()| Done::Here)
        }
        Command::Pack(PackCommand::Show { pack }) => {
            command::pack::show(pack, &current_folder()?, teller).await.map(|()| Done::Here)
        }
        Command::Pack(PackCommand::Text { name, space: None }) => {
            command::pack::text(name, &[], teller).await.map(|()| Done::Here)
        }
        Command::Export(ExportArgs { command: Some(ExportCommand::Prove { file }), .. }) => {
            command::export::prove(&current_folder()?.join(file), teller).await.map(|()| Done::Here)
        }
        Command::Profile(command) => command::profile::profile(command, &cli.common, teller).await.map(|()| Done::Here),
        Command::Demo(args) => {
            let options = demo::DemoOptions { relay: args.relay.clone(), keep: args.keep, options: Options::default() };
            let mut stop = stop_on_signals(true);
            let outcome = tokio::select! {
                outcome = demo::run(options, teller) => outcome?,
                _ = stop.wait_for(|stop| *stop) => return Err(DeskCode::Interrupted.into()),
            };
            outcome.verdict().map(|()| Done::Here)
        }
        Command::Whoami
        | Command::Relay(_)
        | Command::Space(_)
        | Command::Person(_)
        | Command::Device(_)
        | Command::Recover(_)
        | Command::Words(_)
        | Command::Invite(_)
        | Command::Join(_)
        | Command::Agreement(_)
        | Command::Note(_)
        | Command::Session(_)
        | Command::Prep(_)
        | Command::Decision(_)
        | Command::Form(_)
        | Command::Pack(_)
        | Command::Search(_)
        | Command::Inbox { .. }
        | Command::Today { .. }
        | Command::Sync(_)
        | Command::Peers(_)
        | Command::Status
        | Command::Keyring(KeyringCommand::On)
        | Command::Vouch { .. }
        | Command::Backup { .. }
        | Command::Bundle(_)
        | Command::Export(_) => with_store(cli, arguments, teller).await,
    }
}

/// Does a command on a store that is there: here, or at the process that holds it.
async fn with_store(cli: &Cli, arguments: &[OsString], teller: &Teller) -> Result<Done, Failure> {
    let place = Place::of(&cli.common).await?;
    let store = place.store();
    let text = match (cli.command.text_source(), cli.command.words_source()) {
        (Some(source), _) => input::read_text(source)?.map(Zeroizing::new),
        (None, Some(source)) => {
            let file = source.words_file.as_deref();
            let words = secret::words(file).await?;
            if let Command::Words(WordsCommand::Add { new_words_file, .. }) = &cli.command {
                let further = (file.is_none(), new_words_file.as_deref());
                Some(words::with_further(&words, further, teller).await?)
            } else {
                Some(words)
            }
        }
        (None, None) => None,
    };
    let unlock = Unlock::of(&cli.common, &place, teller).await?;
    let stop = stop_on_signals(cli.command.is_long());
    teller.progress("opening the store");
    let client = match open(&store, &unlock).await? {
        Opened::Here(client) => client,
        Opened::Elsewhere(holder) => {
            let request = Request {
                version: holder::VERSION,
                proof: Proof::of(&unlock),
                arguments: arguments.iter().map(as_text).collect::<Result<_, _>>()?,
                folder: current_folder()?,
                text: text.as_ref().map(|text| text.to_string()),
                look: teller.look(),
            };
            let status = holder.ask(&request, stop, async |line| teller.pass_on(line).await).await?;
            return Ok(Done::Elsewhere(status));
        }
    };
    let serving = if cli.command.is_long() { serve(&client, &store, &unlock, teller).await } else { None };
    drop(unlock);
    let call = Call { client: client.clone(), folder: current_folder()?, text, teller: teller.clone(), stop };
    let result = command::perform(&cli.command, &call).await;
    if let Some(serving) = serving {
        serving.finish().await;
    }
    let closed = client.close().await;
    result?;
    closed?;
    Ok(Done::Here)
}

async fn serve(client: &Client, store: &Path, unlock: &Unlock, teller: &Teller) -> Option<Serving> {
    match Serving::start(client.clone(), store, unlock) {
        Ok(serving) => Some(serving),
        Err(failure) => {
            let why = format!("Other commands on this store must wait until this one ends: {failure}");
            teller.remark(&why).await;
            None
        }
    }
}

enum Opened {
    Here(Client),
    Elsewhere(holder::Holder),
}

/// Opens the store, or connects to the process that has it. Another command may hold the store for a moment, and a long
/// one holds it for a moment before it serves: so both are tried for a while.
async fn open(store: &Path, unlock: &Unlock) -> Result<Opened, Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(holder) = holder::connect(store).await {
            return Ok(Opened::Elsewhere(holder));
        }
        match unlock.open(store).await {
            Ok(client) => return Ok(Opened::Here(client)),
            Err(error) if error.code() == Code::StoreBusy.code() && Instant::now() < until => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|_| DeskCode::FileUnreadable.into())
}

fn as_text(argument: &OsString) -> Result<String, Failure> {
    argument.to_str().map(str::to_owned).ok_or_else(|| DeskCode::NotText.into())
}

/// Becomes true at Ctrl-C or SIGTERM. A short command ends at once, at whatever point it is: what was saved is saved.
/// A long one is asked to end, and a second signal ends it too.
fn stop_on_signals(is_long: bool) -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            // Without handlers the signals keep their usual meaning; the channel stays open.
            return std::future::pending::<()>().await;
        };
        let mut polite = is_long;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if !polite {
                std::process::exit(Status::INTERRUPTED.0.into());
            }
            polite = false;
            let _ = stop.send(true);
        }
    });
    stopped
}

async fn init(common: &Common, args: &InitArgs, teller: &Teller) -> Result<Done, Failure> {
    no_profile(common)?;
    let store = place::store_folder(common.store.as_deref())?;
    let unfinished = Client::is_unfinished(&store);
    let words = if args.words {
        WordsFile::Given(secret::words(None).await?)
    } else {
        WordsFile::of(args.words_file.as_deref())?
    };
    let made = match secret::new_passphrase(common.passphrase_file.as_deref()).await {
        Ok(passphrase) => {
            teller.progress("making the store");
            let made = Client::create(&store, &passphrase, &args.name, words.given(), Options::default()).await;
            made.map_err(Failure::from)
        }
        Err(failure) => Err(failure),
    };
    let (client, fresh) = match made {
        Ok(made) => made,
        Err(failure) => {
            words.give_up();
            return Err(failure);
        }
    };
    let whoami = client.whoami();
    let mut text = format!(
        "{}, this is your store: {}\nDevice {}\n\n",
        output::text::line(&whoami.name),
        whoami.store,
        whoami.device
    );
    let mut json = command::whoami_json(&whoami);
    if unfinished {
        text.insert_str(0, command::UNFINISHED);
        json["replaced_unfinished"] = json!(true);
    }
    words.found_home(&client).await;
    let shown = words.tell(&Zeroizing::new(fresh.to_string()), teller.look().columns, &mut text, &mut json);
    teller.say(&Answer::new(text, json)).await;
    client.close().await?;
    if shown && common.passphrase_file.is_none() && !teller.look().json {
        words::ask_back_at_last(&fresh, teller).await?;
    }
    Ok(Done::Here)
}

/// A command that makes the store of this user makes nobody's profile.
fn no_profile(common: &Common) -> Result<(), Failure> {
    match common.profile {
        None => Ok(()),
        Some(_) => Err(Failure::from(DeskCode::Usage).with("reason", "profiles are made with `alliance profile`")),
    }
}

async fn restore(common: &Common, file: &Path, teller: &Teller) -> Result<Done, Failure> {
    no_profile(common)?;
    let store = place::store_folder(common.store.as_deref())?;
    if let Err(error) = File::open(file) {
        return Err(Failure::from(DeskCode::FileUnreadable).with("file", file.display()).with("reason", error.kind()));
    }
    let passphrase = secret::passphrase(common.passphrase_file.as_deref()).await?;
    teller.progress("opening the backup");
    let client = Client::restore(&store, file, &passphrase, Options::default()).await?;
    teller.say(&command::restored(&client)).await;
    client.close().await?;
    Ok(Done::Here)
}
