//! Being reached directly: no relay, no discovery, an address that somebody typed or scanned.

use std::net::SocketAddr;

use alliance_net::{CloseReason, DirectAcceptError, DirectIncoming, DirectListener, Heard, Settings};
use tokio::sync::{mpsc, watch};

use crate::error::{Code, Error};
use crate::inner::Client;
use crate::peer::{Meeting, Opening, Until};
use crate::sync::resolve;
use crate::views::{Progress, SyncReport};

/// Waits for devices that dial this one.
pub struct Listener {
    client: Client,
    listener: DirectListener,
    address: SocketAddr,
}

impl core::fmt::Debug for Listener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Client {
    /// Listens at an address, `host:port`; port 0 takes a free one.
    ///
    /// # Errors
    /// `BAD_ADDRESS` if it cannot be used here.
    pub async fn listen(&self, address: &str) -> Result<Listener, Error> {
        let wanted = resolve(address).await?;
        let bad = |error| Error::new(Code::BadAddress).with("address", address).with("why", error);
        let listener = DirectListener::bind(wanted, self.inner.identity(), Settings::default()).map_err(bad)?;
        let address = listener.local_addr().map_err(bad)?;
        Ok(Listener { client: self.clone(), listener, address })
    }
}

impl Listener {
    /// Where it listens.
    #[must_use]
    pub const fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves whoever dials and shares a space with this store, until `stop` says true. One bad peer stops nobody else.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run(
        &self,
        mut stop: watch::Receiver<bool>,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut tasks = tokio::task::JoinSet::new();
        let theirs = stop.clone();
        loop {
            tokio::select! {
                incoming = self.listener.accept() => {
                    let Some(incoming) = incoming else { break };
                    let (client, stop, tell) = (self.client.clone(), theirs.clone(), tell.clone());
                    tasks.spawn(async move {
                        let mut hear = |event| {
                            // Whoever listened may be gone.
                            let _ = tell.send(event);
                        };
                        if let Err(error) = serve(&client, incoming, stop, &mut hear).await {
                            hear(Progress::Disconnected { why: error.to_string() });
                        }
                    });
                }
                Some(event) = told.recv() => progress(event),
                Some(_) = tasks.join_next() => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        drop(tell);
        self.listener.stop_accepting();
        while let Some(event) = told.recv().await {
            progress(event);
        }
        while tasks.join_next().await.is_some() {}
        self.listener.close(CloseReason::Done).await;
        self.client.seal_all().await.map(|_| ())
    }

    /// Serves one device that dials and shares a space with this store, until it has what it came for.
    ///
    /// # Errors
    /// `PEER_REFUSED` when it shares none, `DISCONNECTED`, `PEER_MISBEHAVED`, and those of the store.
    pub async fn accept_once(&self, mut progress: impl FnMut(Progress) + Send) -> Result<SyncReport, Error> {
        let incoming = self.listener.accept().await.ok_or(Code::StoreClosed)?;
        // Nobody says stop: the dialling side ends it.
        let (_keep, stop) = watch::channel(false);
        serve(&self.client, incoming, stop, &mut progress).await
    }
}

/// Proves the dialler, and lets it in if it shares a space with this store, or an invitation is open.
async fn serve(
    client: &Client,
    incoming: DirectIncoming,
    stop: watch::Receiver<bool>,
    hear: crate::peer::Hear<'_>,
) -> Result<SyncReport, Error> {
    let inner = &client.inner;
    let discovery = inner.discovery().await?;
    let heard = incoming.hear(&discovery, inner.around.bytes()?).await.map_err(|error| match error {
        DirectAcceptError::NothingShared => Error::new(Code::PeerRefused),
        DirectAcceptError::Unproven | DirectAcceptError::Incompatible | DirectAcceptError::Lost(_) => {
            Error::new(Code::PeerMisbehaved).with("why", error)
        }
    })?;
    let device = match &heard {
        Heard::Proven(dialer) => dialer.key(),
        Heard::Matched(matched) => matched.key(),
    };
    let refused = || Error::new(Code::PeerRefused).with("device", device.short());
    let connection = match heard {
        // Who was put out may ask, too: it hears that it is out, and hands over what it had not sent.
        Heard::Matched(matched) if inner.knows(device).await? => matched.admit().await,
        Heard::Matched(matched) => {
            matched.refuse(CloseReason::Refused);
            return Err(refused());
        }
        // So may whoever was invited, whom nobody knows yet.
        Heard::Proven(dialer) if inner.knows(device).await? || inner.expects_somebody().await? => dialer.admit().await,
        Heard::Proven(dialer) => {
            dialer.refuse();
            return Err(refused());
        }
    };
    let connection = connection.map_err(crate::convert::broken)?;
    let meeting = Meeting { dials: false, relay: false, name: format!("device {}", device.short()), words: None };
    let opening = Opening::new(inner, device, meeting, Until::Stopped(stop)).await?;
    match opening.converse(connection, false, hear).await {
        // The dialling side says when it has what it came for.
        Err(error) if error.code() == Code::Disconnected.code() => Err(error),
        other => other,
    }
}
