//! The states of a login, one after the other (spec 2.2 to 2.5).

use std::sync::Arc;

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::authentication as m;
use keeper_wire::messages::authentication::{
    EncryptedDataKeyType, LoginMethod, LoginState, LoginType, SessionTokenType, TwoFactorChannelType,
    TwoFactorExpiration, TwoFactorPushType, TwoFactorValueType,
};
use keeper_wire::password::{Salt, open_encryption_params};
use keeper_wire::{Host, Uid};
use prost::Message;
use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument;
use zeroize::Zeroizing;

use super::under_way::UnderWay;
use super::{LoginError, Means, Question};
use crate::config::{Config, ConfigStore, Held};
use crate::error::{Break, Refusal};
use crate::judge::clean;
use crate::transport::{Call, Transport};
use crate::{Error, decode};

/// One login under way.
pub(crate) struct Flow<'a> {
    pub(crate) transport: &'a Arc<Transport>,
    pub(crate) store: &'a Arc<dyn ConfigStore>,
    pub(crate) held: &'a Arc<Held>,
    pub(crate) config: &'a mut Config,
    pub(crate) means: &'a Means,
}

/// What a login gave.
pub(crate) struct Opened {
    pub(crate) token: Zeroizing<Vec<u8>>,
    pub(crate) data_key: Key,
    pub(crate) account_uid: Vec<u8>,
}

/// Answers of Keeper in one login. A real one has four or five.
const MOST_STEPS: usize = 16;
/// Questions of one kind to a person.
const MOST_QUESTIONS: usize = 3;

/// What was tried already in this login, so that nothing goes round in circles.
#[derive(Default)]
struct Tried {
    resume: bool,
    /// Whether an earlier run had sent the same clone code.
    lost: bool,
    region: bool,
    /// Whether Keeper has asked for the name of the user.
    named: bool,
    introduced: bool,
    registered: bool,
    /// What opens the data key after a password.
    password: Option<SecretString>,
    salt: Option<Salt>,
    message_session: Vec<u8>,
}

impl Flow<'_> {
    /// Signs in.
    pub(crate) async fn run(mut self) -> Result<Opened, Error> {
        let mut tried = Tried { message_session: Uid::random().as_bytes().to_vec(), ..Tried::default() };
        if !self.config.has_device() {
            self.register(&mut tried).await?;
        }
        tried.resume = !self.config.clone_code.is_empty();
        if !tried.resume && self.config.user.is_empty() {
            return Err(LoginError::NoUser.into());
        }
        let resumed = tried.resume;
        let mut answer = self.start(&mut tried, Vec::new()).await?;
        for _ in 0..MOST_STEPS {
            let message = clean(&answer.message);
            let state = answer.login_state();
            tracing::debug!(state = state.name(), "login");
            answer = match state {
                LoginState::LoggedIn => return self.finish(&answer, &tried),
                LoginState::RequiresUsername if self.config.user.is_empty() => {
                    return Err(LoginError::NotResumed { lost: tried.lost, message }.into());
                }
                LoginState::RequiresUsername if !tried.named => {
                    tried.named = true;
                    // The clone code goes with the name once more.
                    let answer = self.start(&mut tried, answer.encrypted_login_token).await?;
                    tried.resume = false;
                    answer
                }
                LoginState::RegionRedirect => self.go(&mut tried, &answer.state_specific_value).await?,
                LoginState::DeviceApprovalRequired => {
                    self.approve(&tried, message).await?;
                    self.start(&mut tried, answer.encrypted_login_token).await?
                }
                LoginState::Requires2fa => {
                    let token = self.second_factor(&answer).await?;
                    self.start(&mut tried, token).await?
                }
                LoginState::RequiresAuthHash => self.password(&mut tried, &answer, resumed).await?,
                LoginState::RedirectCloudSso | LoginState::RedirectOnsiteSso => {
                    return Err(LoginError::Sso { state }.into());
                }
                _ => return Err(LoginError::Stopped { state: answer.login_state, message }.into()),
            };
        }
        Err(LoginError::Stopped { state: answer.login_state, message: String::new() }.into())
    }

    async fn send<A: Message + Default>(&self, call: Call<'_>) -> Result<A, Error> {
        decode(call.name, call.write, &self.transport.send(&call).await?)
    }

    /// Sends what may end the login, and writes down what came of it, in a task of its own: whoever waits here may go, and the
    /// next clone code is kept all the same. `noted` says that the note of the clone code is of this request.
    async fn send_and_keep(
        &mut self,
        endpoint: &'static str,
        payload: Zeroizing<Vec<u8>>,
        noted: bool,
    ) -> Result<m::LoginResponse, Error> {
        let (transport, store, held) = (self.transport.clone(), self.store.clone(), self.held.clone());
        let (mut config, under_way) = (self.config.clone(), UnderWay::begin());
        let task = async move {
            let call = Call::write(endpoint, &payload);
            let told = transport.send(&call).await.and_then(|answer| decode(call.name, call.write, &answer));
            let kept = if keep(&mut config, &told, noted) { store.store(&config) } else { Ok(()) };
            drop((held, under_way));
            (told, kept, config)
        };
        let lost = |_| Error::Lost { call: "start_login", what: Break::Cut, write: true, source: None };
        let (told, kept, config) = tokio::spawn(task.in_current_span()).await.map_err(lost)?;
        *self.config = config;
        let answer = told?;
        kept?;
        Ok(answer)
    }

    /// `start_login`, and what its refusals ask for.
    async fn start(&mut self, tried: &mut Tried, mut token: Vec<u8>) -> Result<m::LoginResponse, Error> {
        loop {
            let refusal = match self.start_once(tried, &token).await {
                Err(Error::Refused(refusal)) => refusal,
                other => return other,
            };
            token = Vec::new();
            match refusal.code.as_str() {
                "region_redirect" if !tried.region => {
                    self.introduce_at(tried, &refusal.detail.region_host, &refusal).await?;
                }
                "device_not_registered" => {
                    let here = refusal.detail.additional_info.to_lowercase().contains("not registered in this region");
                    if here && !tried.introduced {
                        self.introduce(tried).await?;
                    } else if self.means.prompter.is_some() && !tried.registered {
                        self.register(tried).await?;
                    } else {
                        return Err(LoginError::UnknownDevice { message: refusal.message }.into());
                    }
                }
                _ => return Err(refusal.into()),
            }
            tried.resume = false;
            if self.config.user.is_empty() {
                return Err(LoginError::NoUser.into());
            }
        }
    }

    /// A change, because a clone code is good for one call: its answer must not be asked for twice.
    async fn start_once(&mut self, tried: &mut Tried, token: &[u8]) -> Result<m::LoginResponse, Error> {
        let first = token.is_empty();
        let clone_code = if tried.resume { self.config.clone_code.to_vec() } else { Vec::new() };
        // A note that is there already is of an earlier run.
        let noted = !clone_code.is_empty() && !self.config.was_resuming();
        if noted {
            self.config.note_resuming();
            self.store.store(self.config)?;
        } else {
            tried.lost |= !clone_code.is_empty();
        }
        let request = m::StartLoginRequest {
            encrypted_device_token: self.config.device_token.clone(),
            // With a clone code the account is known by it.
            username: if first && tried.resume { String::new() } else { self.config.user.clone() },
            client_version: self.transport.options().client_version.clone(),
            message_session_uid: tried.message_session.clone(),
            encrypted_login_token: token.to_vec(),
            login_type: if self.config.alternate { LoginType::Alternate } else { LoginType::Normal }.into(),
            login_method: LoginMethod::ExistingAccount.into(),
            clone_code,
            ..Default::default()
        };
        let payload = Zeroizing::new(request.encode_to_vec());
        self.send_and_keep("authentication/start_login", payload, noted).await
    }

    /// The login goes on in another region.
    async fn go(&mut self, tried: &mut Tried, host: &str) -> Result<m::LoginResponse, Error> {
        let refusal = Refusal {
            call: "start_login",
            status: 200,
            code: "region_redirect".to_owned(),
            message: "the account is in another region".to_owned(),
            detail: Box::default(),
        };
        if tried.region {
            return Err(refusal.into());
        }
        self.introduce_at(tried, host, &refusal).await?;
        tried.resume = false;
        if self.config.user.is_empty() {
            return Err(LoginError::NoUser.into());
        }
        self.start(tried, Vec::new()).await
    }

    async fn introduce_at(&mut self, tried: &mut Tried, host: &str, refusal: &Refusal) -> Result<(), Error> {
        tried.region = true;
        let host: Host = host.parse().map_err(|_| Error::Refused(refusal.clone()))?;
        self.transport.redirect(host.clone())?;
        self.config.server = Some(host);
        self.store.store(self.config)?;
        self.introduce(tried).await
    }

    /// Makes a device that another region knows known here.
    async fn introduce(&self, tried: &mut Tried) -> Result<(), Error> {
        tried.introduced = true;
        let options = self.transport.options();
        let request = m::RegisterDeviceInRegionRequest {
            encrypted_device_token: self.config.device_token.clone(),
            client_version: options.client_version.clone(),
            device_name: options.device_name.clone(),
            device_public_key: self
                .config
                .private_key
                .as_ref()
                .map_or_else(Vec::new, |key| key.public().as_bytes().to_vec()),
            ..Default::default()
        };
        let payload = request.encode_to_vec();
        self.transport.send(&Call::write("authentication/register_device_in_region", &payload)).await.map(|_| ())
    }

    /// A new device, written down before it is used.
    async fn register(&mut self, tried: &mut Tried) -> Result<(), Error> {
        if self.means.prompter.is_none() {
            return Err(LoginError::NoDevice.into());
        }
        tried.registered = true;
        let key = PrivateKey::generate();
        let options = self.transport.options();
        let request = m::DeviceRegistrationRequest {
            client_version: options.client_version.clone(),
            device_name: options.device_name.clone(),
            device_public_key: key.public().as_bytes().to_vec(),
            ..Default::default()
        };
        let payload = request.encode_to_vec();
        let device: m::Device = self.send(Call::write("authentication/register_device", &payload)).await?;
        if device.encrypted_device_token.is_empty() {
            let what = "a device token was expected";
            return Err(Error::Reply { call: "register_device", what, write: true });
        }
        self.config.device_token = device.encrypted_device_token;
        self.config.private_key = Some(key);
        self.config.set_clone_code(Vec::new());
        self.store.store(self.config)?;
        Ok(())
    }

    /// Approval of a new device by a code that comes by e-mail.
    async fn approve(&self, tried: &Tried, message: String) -> Result<(), Error> {
        let (user, version) = (self.config.user.clone(), self.transport.options().client_version.clone());
        if self.means.prompter.is_none() || user.is_empty() {
            return Err(LoginError::NotApproved { message }.into());
        }
        let request = m::DeviceVerificationRequest {
            encrypted_device_token: self.config.device_token.clone(),
            username: user.clone(),
            verification_channel: "email".to_owned(),
            message_session_uid: tried.message_session.clone(),
            client_version: version.clone(),
        };
        let payload = request.encode_to_vec();
        self.transport.send(&Call::write("authentication/request_device_verification", &payload)).await?;
        let mut refused = None;
        for turn in 0..MOST_QUESTIONS {
            let question = Question::DeviceCode { user: user.clone(), again: turn > 0 };
            let Some(code) = self.means.ask(question).await else { break };
            let request = m::ValidateDeviceVerificationCodeRequest {
                username: user.clone(),
                client_version: version.clone(),
                verification_code: code.expose_secret().trim().to_owned(),
                message_session_uid: tried.message_session.clone(),
                encrypted_device_token: self.config.device_token.clone(),
            };
            let payload = Zeroizing::new(request.encode_to_vec());
            match self.transport.send(&Call::write("authentication/validate_device_verification_code", &payload)).await
            {
                Ok(_) => return Ok(()),
                Err(Error::Refused(refusal)) => refused = Some(refusal.message),
                Err(error) => return Err(error),
            }
        }
        Err(LoginError::NotApproved { message: refused.unwrap_or(message) }.into())
    }

    /// Answers for one of the channels, and gives the next login token.
    async fn second_factor(&self, answer: &m::LoginResponse) -> Result<Vec<u8>, Error> {
        let channels: Vec<_> =
            answer.channels.iter().filter_map(|channel| Some((channel, value_of(channel)?))).collect();
        let unattended = self.means.second_factor.as_ref();
        let suits = |(channel, _): &&(&m::TwoFactorChannelInfo, TwoFactorValueType)| {
            unattended.is_some_and(|factor| factor.suits(channel.channel_type()))
        };
        let names = || {
            let told: Vec<_> = answer.channels.iter().map(|channel| channel.channel_type().name()).collect();
            told.join(", ")
        };
        let none = || Error::from(LoginError::NoSecondFactor { channels: names() });
        let chosen = channels.iter().find(suits).or_else(|| channels.first());
        let (channel, kind) = chosen.copied().ok_or_else(none)?;
        let mut ready = unattended.filter(|factor| factor.suits(channel.channel_type()));
        if ready.is_none() && self.means.prompter.is_none() {
            return Err(none());
        }
        let until = TwoFactorExpiration::In30Days.min(channel.max_expiration());
        if channel.channel_type() == TwoFactorChannelType::Sms {
            let request = m::TwoFactorSendPushRequest {
                encrypted_login_token: answer.encrypted_login_token.clone(),
                push_type: TwoFactorPushType::Sms.into(),
                channel_uid: channel.channel_uid.clone(),
                expire_in: until.into(),
            };
            let payload = Zeroizing::new(request.encode_to_vec());
            self.transport.send(&Call::write("authentication/2fa_send_push", &payload)).await?;
        }
        let mut refused = None;
        for turn in 0..MOST_QUESTIONS {
            let named = format!("{} {}", channel.channel_type().name(), clean(&channel.channel_name));
            let code = match ready.take() {
                Some(factor) => Some(factor.code()?),
                None => {
                    self.means.ask(Question::SecondFactor { channel: named.trim().to_owned(), again: turn > 0 }).await
                }
            };
            let Some(code) = code else { break };
            let request = m::TwoFactorValidateRequest {
                encrypted_login_token: answer.encrypted_login_token.clone(),
                value_type: kind.into(),
                value: code.expose_secret().trim().to_owned(),
                channel_uid: channel.channel_uid.clone(),
                expire_in: until.into(),
                challenge_token: channel.challenge_token.clone(),
            };
            let payload = Zeroizing::new(request.encode_to_vec());
            match self.send::<m::TwoFactorValidateResponse>(Call::write("authentication/2fa_validate", &payload)).await
            {
                Ok(answer) => return Ok(answer.encrypted_login_token),
                Err(Error::Refused(refusal)) if wrong(&refusal) => refused = Some(refusal.message),
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(message) => Err(LoginError::WrongSecondFactor { message }.into()),
            None => Err(none()),
        }
    }

    async fn password(
        &mut self,
        tried: &mut Tried,
        answer: &m::LoginResponse,
        resumed: bool,
    ) -> Result<m::LoginResponse, Error> {
        let named = |salt: &&m::Salt| salt.name.eq_ignore_ascii_case("alternate");
        let several = answer.salt.len() > 1;
        let salt = answer.salt.iter().find(named).filter(|_| several).or_else(|| answer.salt.first());
        let reply = |what| Error::Reply { call: "start_login", what, write: false };
        let salt = salt.ok_or(reply("a salt was expected"))?;
        let salt = Salt { salt: salt.salt.clone(), iterations: u32::try_from(salt.iterations).unwrap_or(0) };
        let mut ready = self.means.password(self.config);
        let mut refused = None;
        for turn in 0..MOST_QUESTIONS {
            let password = match ready.take() {
                Some(password) => Some(password),
                None => self.means.ask(Question::Password { user: self.config.user.clone(), again: turn > 0 }).await,
            };
            let Some(password) = password else { break };
            let hash = salt.auth_hash(&password);
            let hash = hash.map_err(|_| reply("a sensible number of rounds was expected with the salt"))?;
            let request = m::ValidateAuthHashRequest {
                auth_response: hash.to_vec(),
                encrypted_login_token: answer.encrypted_login_token.clone(),
                ..Default::default()
            };
            let payload = Zeroizing::new(request.encode_to_vec());
            match self.send_and_keep("authentication/validate_auth_hash", payload, false).await {
                Ok(next) => {
                    (tried.password, tried.salt) = (Some(password), Some(salt));
                    return Ok(next);
                }
                Err(Error::Refused(refusal)) if wrong(&refusal) => refused = Some(refusal.message),
                Err(error) => return Err(error),
            }
        }
        Err(match refused {
            Some(message) => LoginError::WrongPassword { message },
            None if resumed && !tried.region => {
                LoginError::NotResumed { lost: tried.lost, message: clean(&answer.message) }
            }
            None => LoginError::NoPassword,
        }
        .into())
    }

    /// The next clone code is written down by now; this looks at the rest of the answer.
    fn finish(&self, answer: &m::LoginResponse, tried: &Tried) -> Result<Opened, Error> {
        if answer.session_token_type != i32::from(SessionTokenType::NoRestriction) {
            return Err(LoginError::Restricted { kind: answer.session_token_type }.into());
        }
        if answer.encrypted_session_token.is_empty() {
            let what = "a session token was expected";
            return Err(Error::Reply { call: "start_login", what, write: false });
        }
        Ok(Opened {
            token: Zeroizing::new(answer.encrypted_session_token.clone()),
            data_key: self.data_key(answer.encrypted_data_key_type, &answer.encrypted_data_key, tried)?,
            account_uid: answer.account_uid.clone(),
        })
    }

    fn data_key(&self, kind: i32, sealed: &[u8], tried: &Tried) -> Result<Key, Error> {
        let wrong = |why| Error::from(LoginError::DataKey { kind, why });
        let unopened = |_| wrong("it does not open");
        match EncryptedDataKeyType::try_from(kind) {
            Ok(EncryptedDataKeyType::ByDevicePublicKey) => {
                let device = self.config.private_key.as_ref().ok_or_else(|| wrong("there is no device key"))?;
                let plain = device.open(sealed).map_err(|_| wrong("it was sealed to another device"))?;
                Key::from_slice(&plain).map_err(unopened)
            }
            Ok(EncryptedDataKeyType::ByPassword) => {
                let password = tried.password.as_ref().ok_or_else(|| wrong("the master password is needed"))?;
                open_encryption_params(sealed, password).map_err(unopened)
            }
            Ok(EncryptedDataKeyType::ByAlternate) => {
                let both = tried.password.as_ref().zip(tried.salt.as_ref());
                let (password, salt) = both.ok_or_else(|| wrong("the master password is needed"))?;
                let key = salt.domain_key("data_key", password).map_err(unopened)?;
                Key::from_slice(&key.open(sealed).map_err(unopened)?).map_err(unopened)
            }
            _ => Err(wrong("this program opens it with a device key or a password")),
        }
    }
}

/// Puts into the configuration what an answer brings for the next login; whether it is another one now.
///
/// `noted` says that the request had a clone code and the note of it: an answer or a refusal ends that note, and so does any login.
/// It stays when the request may have been done, and when it is of an earlier run whose code was not taken.
fn keep(config: &mut Config, told: &Result<m::LoginResponse, Error>, noted: bool) -> bool {
    match told {
        Ok(answer) if answer.login_state() == LoginState::LoggedIn => {
            config.end_resuming();
            if !answer.clone_code.is_empty() {
                config.set_clone_code(answer.clone_code.clone());
            }
            if !answer.primary_username.is_empty() {
                config.user = answer.primary_username.trim().to_lowercase();
            }
            true
        }
        Err(error) if error.maybe_done() => false,
        _ => {
            if noted {
                config.end_resuming();
            }
            noted
        }
    }
}

/// The codes of a wrong password or code; the second one is in the vendor's client, and was seen nowhere.
fn wrong(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "auth_failed" | "invalid_credentials")
}

/// How a code for this channel is told; `None` for those that no code answers.
fn value_of(channel: &m::TwoFactorChannelInfo) -> Option<TwoFactorValueType> {
    Some(match channel.channel_type() {
        TwoFactorChannelType::Totp | TwoFactorChannelType::Backup => TwoFactorValueType::CodeTotp,
        TwoFactorChannelType::Sms => TwoFactorValueType::CodeSms,
        TwoFactorChannelType::Duo => TwoFactorValueType::CodeDuo,
        TwoFactorChannelType::Rsa => TwoFactorValueType::CodeRsa,
        TwoFactorChannelType::Dna => TwoFactorValueType::CodeDna,
        _ => return None,
    })
}
