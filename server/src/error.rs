//! The error a client of the HTTP API sees: a status and one JSON object that names the field or the
//! transaction at fault. Internal causes are logged and never shown.
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// `{"error": {...}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// Stable, for programs.
    pub code: String,
    /// Path of the field at fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// Index of the transaction at fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub index: Option<usize>,
    /// The batch number the server expects next, for conflicts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected: Option<u64>,
    /// For people: what was wrong, what was expected, what to do.
    pub message: String,
}

/// An [`ErrorDetail`] with its HTTP status.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Body.
    pub detail: ErrorDetail,
}

impl ApiError {
    /// An error with a code and a message.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> ApiError {
        let detail = ErrorDetail { code: code.into(), message: message.into(), ..ErrorDetail::default() };
        ApiError { status, detail }
    }

    /// 422 with a code.
    pub fn unprocessable(code: &str, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 500; the cause goes to the log, not to the client.
    pub fn internal(cause: impl std::fmt::Display) -> ApiError {
        tracing::error!(%cause, "request failed");
        let message = "internal error; the server's log says why";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// Names the field.
    pub fn field(mut self, field: impl Into<String>) -> ApiError {
        self.detail.field = Some(field.into());
        self
    }

    /// Names the transaction, as index and as field.
    pub fn transaction(mut self, index: usize) -> ApiError {
        self.detail.index = Some(index);
        self.field(format!("transactions[{index}]"))
    }

    /// Names the batch number expected.
    pub fn expected(mut self, number: u64) -> ApiError {
        self.detail.expected = Some(number);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        crate::metrics::METRICS.rejected(&self.detail.code);
        (self.status, Json(ErrorBody { error: self.detail })).into_response()
    }
}
