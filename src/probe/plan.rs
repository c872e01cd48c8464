//! How one site is checked: its settings, compiled once and used by many checks.

use std::time::Duration;

use super::kind::Kind;
use super::order::Access;
use super::plan_error::PlanError;
use super::settings::Settings;
use super::tls::{Link, TlsPlan};
use crate::model::settings::{CheckSettings, TlsSettings};

/// A certificate that expires sooner is worth a warning, unless it was made for a shorter time than that makes sense for.
/// Those who renew by themselves do it 30 days ahead.
const EXPIRY_WARNING: Duration = Duration::from_secs(14 * 24 * 3600);

/// What a check does and judges.
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) access: Access,
    /// Texts that must not stand in a result, longest first.
    pub(super) secrets: Vec<String>,
    pub(super) expiry_warning: ExpiryWarning,
}

/// How long before its end a certificate makes its site `degraded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpiryWarning {
    /// Certificates may expire when they like.
    Never,
    /// As the site says.
    Before(Duration),
    /// 14 days, or a third of the certificate's life where that is shorter: certificates of six and of 47 days are usual.
    ByLife,
}

impl ExpiryWarning {
    fn of(settings: &TlsSettings) -> Self {
        match settings.expiry_warning {
            Some(warning) if warning.is_zero() => Self::Never,
            Some(warning) => Self::Before(warning),
            None if settings.accept_invalid => Self::Never,
            None => Self::ByLife,
        }
    }

    /// For the certificate of `link`.
    pub(super) fn before(self, link: &Link) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Before(warning) => Some(warning),
            Self::ByLife => Some(EXPIRY_WARNING.min(link.third())),
        }
    }
}

impl Plan {
    pub(super) fn compile(settings: &CheckSettings, common: &Settings) -> Result<Self, PlanError> {
        let kind = Kind::compile(settings, common)?;
        let tls = TlsPlan::new(&settings.tls, &common.tls).map_err(PlanError::Useless)?;
        Ok(Self {
            secrets: Kind::secrets(settings),
            access: Access { ip: settings.request.ip, tls: kind.tls(tls) },
            expiry_warning: ExpiryWarning::of(&settings.tls),
            kind,
        })
    }
}
