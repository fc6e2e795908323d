//! How devices near are met, as options.

use std::time::Duration;

use alliance_client::Nearby;
use clap::Args;

pub(super) const PEERS_HELP: &str = "\
Others must be looking, too: with `alliance peers` or `alliance sync --lan`.
Of devices that share no space with you nobody learns more than their number,
and they learn as little of yours.";

/// How devices near are met.
#[derive(Debug, Clone, Args)]
pub(crate) struct NearArgs {
    /// End when nothing new was heard of anybody for so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) wait: Option<u64>,
    /// Look on this network interface only, and announce nothing on others; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Vec<String>,
    /// Meet the device at this address, HOST:PORT, whoever it is; may be given several times
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) address: Vec<String>,
}

impl NearArgs {
    /// The same for the client; `default` is how many seconds of silence end it.
    pub(crate) fn nearby(&self, discover: bool, listen: Option<&str>, default: u64) -> Nearby {
        Nearby {
            discover,
            interfaces: self.interface.clone(),
            listen: listen.map(str::to_owned),
            addresses: self.address.clone(),
            wait: Duration::from_secs(self.wait.unwrap_or(default)),
            ..Nearby::default()
        }
    }
}
