//! ACM: the certificate the balancer shows.

mod certificate;

pub use certificate::{Certificate, CertificateOutput, Certificates};
