//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{commands, output, verify};

/// A relay: it keeps and passes on what devices seal, and cannot read it.
#[derive(Debug, Parser)]
#[command(
    name = "alliance-relay",
    version,
    after_help = "A first relay, reachable on this machine's address 192.0.2.7:\n  \
                  alliance-relay token --data DIR --label \"our team\"\n  \
                  alliance-relay serve --data DIR --listen 0.0.0.0:4433 --public 192.0.2.7:4433\n\
                  Give people the connect string that `serve` prints and the token: `alliance relay add CONNECT --token TOKEN`."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay until SIGTERM or Ctrl-C. Prints one line on standard output when it listens: its connect string.
    Serve(Serve),
    /// Make an admission token, or list and revoke them. Works while the relay runs.
    Token(Token),
    /// Say what a data folder holds: connect string, instance, spaces, entries, bytes. Works while the relay runs.
    Info(Info),
    /// Look at everything in a data folder for damage; say what is damaged and what to do. Works while the relay runs.
    Verify(Verify),
    /// Write every cell of the relay's databases to standard output, as it is stored: for whoever wants to look for a
    /// word in it. Works while the relay runs.
    Dump(Dump),
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The relay's data folder; it belongs to the relay's user alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Print machine-readable JSON, one value a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where to listen, UDP: an IP address and a port; port 0 takes any that is free.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Where to listen over TCP as well, for devices in networks that block UDP: they try port 443 of the relay's host,
    /// unless they are told another.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_tcp: Option<SocketAddr>,
    /// The address under which devices reach the relay, where it is not the one that it listens on.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) public: Option<String>,
    /// Let anybody create spaces, without a token.
    #[arg(long)]
    pub(crate) open: bool,
    /// The data folder was restored from a backup together with its marker: take a new instance, so that devices push
    /// again what the backup did not have. Say it once, at the first start after the restore.
    #[arg(long)]
    pub(crate) restored: bool,
    /// Connections at once.
    #[arg(long, value_name = "N", default_value_t = crate::CONNECTIONS_MAX)]
    pub(crate) connections: usize,
    /// How much to log on standard error: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub(crate) log: tracing::Level,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    /// The relay's data folder; made where it is missing.
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) data: Option<PathBuf>,
    /// What you call the token.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) label: String,
    /// How many spaces it may create.
    #[arg(long, value_name = "N", default_value_t = alliance_wire::limits::SPACES_PER_TOKEN_MAX)]
    pub(crate) spaces: u32,
    /// Print machine-readable JSON, one value a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// List tokens with what they have created. Secrets are never shown again.
    List(Place),
    /// Revoke a token: it creates no more spaces; those that it created stay.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The token's id, as `token list` shows it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Put what can be read of a damaged log into a new database, and keep the damaged one beside it. The relay must not
    /// run. It begins a new instance, and devices bring what is missing.
    #[arg(long)]
    pub(crate) salvage: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// The relay's data folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Runs the program.
pub fn run() -> ExitCode {
    leave_no_core_file();
    let cli = Cli::parse();
    let (json, result) = match cli.command {
        Command::Serve(serve) => (serve.place.json, commands::serve(serve)),
        Command::Token(Token { command: Some(TokenCommand::List(place)), .. }) => {
            (place.json, commands::list_tokens(&place))
        }
        Command::Token(Token { command: Some(TokenCommand::Revoke(revoke)), .. }) => {
            (revoke.place.json, commands::revoke_token(&revoke))
        }
        Command::Token(token) => (token.json, commands::make_token(&token)),
        Command::Info(info) => (info.place.json, commands::info(&info)),
        Command::Verify(verify) => (verify.place.json, verify::verify(&verify)),
        Command::Dump(dump) => (false, commands::dump(&dump)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure, json);
            ExitCode::from(failure.exit_status())
        }
    }
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
