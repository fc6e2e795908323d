//! One meeting with a relay, on whichever transport carries it, and on another when that one dies.

use std::pin::pin;
use std::sync::Arc;

use alliance_net::{CloseReason, Connection, TcpConnection};
use alliance_store::device::RelayRow;
use tokio::sync::watch;

use crate::error::{Code, Error};
use crate::inner::Inner;
use crate::peer::{Hear, Meeting, Opening, Until, stopped};
use crate::reach::{Reached, Ways};
use crate::sync::{is_of_the_store, name_of};
use crate::views::{LinkState, SyncReport, Transport};

/// How a conversation came to its end.
enum Next {
    /// Both have said what they had to.
    Done(SyncReport),
    /// The relay went silent over QUIC, and answers here.
    Over(Reached),
    /// QUIC answers again.
    Anew,
}

impl Inner {
    /// Meets a relay. A conversation that goes on over another transport is a new one to the protocol: what was stored
    /// counts, what was under way comes again, and nothing twice.
    pub(crate) async fn meet_relay(
        self: &Arc<Self>,
        relay: &RelayRow,
        until: Until,
        hear: Hear<'_>,
    ) -> Result<SyncReport, Error> {
        let name = name_of(relay);
        self.link(relay.relay, &name, LinkState::Connecting);
        let failed = |error: &Error| self.link(relay.relay, &name, LinkState::Failed { code: error.code() });
        let (mut reached, mut stop) = (None, until.stop());
        loop {
            let ways = Ways::to(self, relay, self.dialers()?).await.inspect_err(failed)?;
            let meeting = Meeting { dials: true, relay: true, name: name.clone(), words: None };
            let mut opening = Opening::new(self, relay.relay, meeting, until.clone()).await?;
            let hello = opening.hello(hear).await?;
            let reached_now = match reached.take() {
                Some(reached) => reached,
                None => tokio::select! {
                    reached = ways.race(Some(hello.as_slice())) => reached,
                    () = stopped(&mut stop) => Err(no_more_time(relay)),
                }
                .inspect_err(failed)?,
            };
            let next = match reached_now {
                Reached::Quic(connection) => over_quic(&ways, opening, connection, (&until, hear)).await?,
                Reached::Tcp(line, why) => {
                    over_tcp(&ways, (opening, hello.as_slice()), (line, why), &until, hear).await?
                }
            };
            match next {
                Next::Done(report) => return Ok(report),
                Next::Over(line) => reached = Some(line),
                Next::Anew => {}
            }
        }
    }
}

/// Nobody answered before somebody said stop.
fn no_more_time(relay: &RelayRow) -> Error {
    Error::new(Code::Unreachable).with("relay", &relay.address).with("why", "there was no more time")
}

/// A conversation over QUIC, on which the Hello was said.
async fn over_quic(
    ways: &Ways,
    mut opening: Opening<'_>,
    connection: Connection,
    (until, hear): (&Until, Hear<'_>),
) -> Result<Next, Error> {
    let handle = connection.handle().clone();
    opening.over(Transport::QUIC);
    let mut conversation = pin!(opening.converse(connection, true, hear));
    let reached = tokio::select! {
        biased;
        done = &mut conversation => return match done {
            Ok(report) => Ok(Next::Done(report)),
            Err(error) => Err(ways.failed(&handle, error)),
        },
        reached = ways.when_silent(&handle, !matches!(until, Until::Stopped(_))) => reached,
    };
    handle.close(CloseReason::Stalled);
    match conversation.await {
        // It had come to its end just then.
        Ok(report) => Ok(Next::Done(report)),
        Err(error) if is_of_the_store(&error) => Err(error),
        Err(_) => Ok(Next::Over(reached)),
    }
}

/// A conversation over TCP. One that stays looks for QUIC now and then.
async fn over_tcp(
    ways: &Ways,
    (mut opening, hello): (Opening<'_>, &[u8]),
    (mut line, why): (TcpConnection, Transport),
    until: &Until,
    hear: Hear<'_>,
) -> Result<Next, Error> {
    opening.over(why);
    // A failure shows when the answer is read.
    let _ = line.send(hello).await;
    let Until::Stopped(stop) = until else {
        return opening.converse(line, true, hear).await.map(Next::Done);
    };
    let mut stop = stop.clone();
    let (tell, told) = watch::channel(false);
    opening.until(Until::Stopped(told));
    let mut conversation = pin!(opening.converse(line, true, hear));
    let stopped = tokio::select! {
        biased;
        done = &mut conversation => return done.map(Next::Done),
        // If whoever could say stop is gone, that says it.
        _ = stop.wait_for(|stop| *stop) => true,
        () = ways.when_quic_answers() => false,
    };
    tell.send_replace(true);
    let report = conversation.await?;
    Ok(if stopped { Next::Done(report) } else { Next::Anew })
}
