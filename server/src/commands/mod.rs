//! What the subcommands do. Each prints for people, or JSON with `--json`; errors go to stderr and the exit
//! status is 0 only for success.

pub mod debug;
pub mod run;
pub mod serve;
pub mod setup;
pub mod status;
pub mod submit;
pub mod verify;

use crate::error::ErrorBody;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Errors of commands are for people: they are printed and never matched.
pub type CommandError = Box<dyn std::error::Error + Send + Sync>;

/// One call to a server; an error answer becomes its message.
pub(crate) async fn call<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, CommandError> {
    let answer = request.send().await.map_err(|e| format!("the server does not answer: {e}"))?;
    let (status, url) = (answer.status(), answer.url().clone());
    let text = answer.text().await?;
    if !status.is_success() {
        let message = match serde_json::from_str::<ErrorBody>(&text) {
            Ok(body) => {
                let detail = body.error;
                let field = detail.field.map(|f| format!("{f}: ")).unwrap_or_default();
                format!("{} ({status}): {field}{}", detail.code, detail.message)
            }
            Err(_) => format!("{status}: {text}"),
        };
        return Err(message.into());
    }
    serde_json::from_str(&text)
        .map_err(|e| format!("{url} did not answer as a lathe server does: {e}").into())
}

pub(crate) fn client() -> Result<reqwest::Client, CommandError> {
    Ok(crate::http_client(Duration::from_secs(60))?)
}

pub(crate) fn print_json<T: serde::Serialize>(value: &T) -> Result<(), CommandError> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
