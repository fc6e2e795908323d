//! What each command does.

use std::io::{self, Write as _};

use alliance_net::AdmissionToken;
use alliance_store::operator::{NewToken, Operator, day_of, inspect};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::relay::CONNECT_SETTING;
use crate::{Clock, Config, Relay, StartError, cli, folder, output};

/// Runs the relay until it is told to stop.
pub(crate) fn serve(serve: cli::Serve) -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(serve.log.as_str()))
        .with_writer(io::stderr)
        .with_target(false)
        .init();
    let json = serve.place.json;
    let config = Config {
        listen_tcp: serve.listen_tcp,
        public: serve.public,
        open: serve.open,
        restored: serve.restored,
        connections_max: serve.connections,
        ..Config::new(serve.place.data, serve.listen)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        // Heard from before the first connection on: a stop that comes early is a stop.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let open = config.open;
        let relay = Relay::start(config).await?;
        let (address, tcp) = (relay.local_addr(), relay.local_tcp_addr());
        output::listening(&relay, (address.map_err(StartError::from)?, tcp.map_err(StartError::from)?), open, json);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
        relay.shutdown().await;
        Ok(())
    })
}

/// Makes a token and shows it once.
pub(crate) fn make_token(new: &cli::Token) -> Result<(), Failure> {
    let data = new.data.as_deref().ok_or(Failure::Usage("say --data DIR"))?;
    let mut random = Zeroizing::new([0; 40]);
    getrandom::fill(random.as_mut()).map_err(|_| StartError::Randomness)?;
    let token = AdmissionToken::generate(&random);
    let operator = Operator::open(data)?;
    let day = operator.today(day_of(Clock::system().seconds()))?;
    let row = NewToken { id: token.id(), secret: token.secret(), label: &new.label, spaces_max: new.spaces, day };
    operator.add_token(&row)?;
    output::token(&token, new.json);
    Ok(())
}

/// Lists tokens.
pub(crate) fn list_tokens(place: &cli::Place) -> Result<(), Failure> {
    output::tokens(&Operator::open(&place.data)?.tokens()?, place.json);
    Ok(())
}

/// Revokes a token.
pub(crate) fn revoke_token(revoke: &cli::Revoke) -> Result<(), Failure> {
    let no_token = || Failure::NoToken(revoke.id.clone());
    let id = (revoke.id.len() == 16).then(|| u64::from_str_radix(&revoke.id, 16).ok()).flatten();
    let id = id.ok_or_else(no_token)?.to_be_bytes();
    if !Operator::open(&revoke.place.data)?.revoke_token(id)? {
        return Err(no_token());
    }
    output::revoked(id, revoke.place.json);
    Ok(())
}

/// Writes out everything that the databases hold.
pub(crate) fn dump(dump: &cli::Dump) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    alliance_store::operator::dump(&dump.data, |cell| {
        out.write_all(cell.bytes)?;
        out.write_all(b"\n")
    })?;
    Ok(out.flush()?)
}

/// Says what the folder holds.
pub(crate) fn info(info: &cli::Info) -> Result<(), Failure> {
    let data = &info.place.data;
    let found = inspect(data)?;
    let key = folder::read_secrets(data)?.relay_key().to_string();
    let connect = Operator::open(data)?.setting(CONNECT_SETTING)?;
    output::info(&key, connect.as_deref(), &found, info.place.json);
    Ok(())
}
