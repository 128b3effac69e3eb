//! References between nodes: they carry outputs, never implementations.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A node's name inside its graph, as a person reads it: `security-group/task`.
///
/// It is stable across runs: resources are found again by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// Wraps a name.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for NodeId {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<NodeId> for String {
    fn from(id: NodeId) -> Self {
        id.as_str().to_owned()
    }
}

impl From<String> for NodeId {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// One named part of an output, so that a plan can say which parts of it survive a change.
///
/// ```
/// use resource_graph::Field;
///
/// #[derive(Clone)]
/// struct Certificate { arn: String, serial: String }
///
/// impl Certificate {
///     const ARN: Field<Self, String> = Field::new("arn", |output| output.arn.clone());
/// }
/// ```
pub struct Field<O, T> {
    name: &'static str,
    read: fn(&O) -> T,
}

impl<O, T> Field<O, T> {
    /// Names a part and says how to read it.
    pub const fn new(name: &'static str, read: fn(&O) -> T) -> Self {
        Self { name, read }
    }

    /// The part's name, as [`Survives::Only`](crate::Survives) lists it.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// What a node will put out, whoever makes it: created, adopted, only referenced, or confirmed by hand.
///
/// A `Ref` comes only from [`Graph::add`](crate::Graph::add), so edges point backwards and a cycle cannot be written down.
pub struct Ref<T> {
    pub(crate) node: usize,
    field: Option<&'static str>,
    read: Arc<dyn Fn(&Value) -> T + Send + Sync>,
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Self { node: self.node, field: self.field, read: Arc::clone(&self.read) }
    }
}

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({}{})", self.node, self.field.map(|name| format!(".{name}")).unwrap_or_default())
    }
}

impl<T: Clone + Send + Sync + 'static> Ref<T> {
    pub(crate) fn whole(node: usize) -> Self {
        let read =
            |value: &Value| value.downcast_ref::<T>().expect("a Ref is only made for its own node's output").clone();
        Self { node, field: None, read: Arc::new(read) }
    }

    /// A reference to one part of the output.
    pub fn field<U: 'static>(&self, field: Field<T, U>) -> Ref<U> {
        let read = Arc::clone(&self.read);
        let part = field.read;
        // A part of a part lasts as long as the part that the output's owner knows.
        let name = self.field.unwrap_or(field.name);
        Ref { node: self.node, field: Some(name), read: Arc::new(move |value| part(&read(value))) }
    }
}

impl<T> Ref<T> {
    /// The position of the node this refers to; also the way to name an order-only edge to it.
    pub fn node(&self) -> NodeIndex {
        NodeIndex(self.node)
    }
}

/// A node's position in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub(crate) usize);

/// What is known, while planning, of something another node puts out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// It exists and survives this plan.
    Same(T),
    /// It exists, but this plan replaces it or changes the value; what is inside is the value of today.
    WillChange(T),
    /// It does not exist yet.
    Unknown,
}

impl<T> Known<T> {
    /// The value of today, whether or not it survives.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Same(value) | Self::WillChange(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// True only when the value exists, survives and equals `other`. Whatever points at a value that is about to go
    /// must not call itself up to date.
    pub fn is<U>(&self, other: &U) -> bool
    where
        T: PartialEq<U>,
    {
        matches!(self, Self::Same(value) if value == other)
    }

    /// The same knowledge about something derived from the value.
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Same(value) => Known::Same(derive(value)),
            Self::WillChange(value) => Known::WillChange(derive(value)),
            Self::Unknown => Known::Unknown,
        }
    }
}

/// Which parts of a node's output are still valid after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Survives {
    /// Every part: a rule or a tag was corrected.
    All,
    /// Only the parts named: a re-imported certificate keeps its ARN, not its serial number.
    Only(&'static [&'static str]),
    /// None.
    Nothing,
}

impl Survives {
    fn covers(&self, field: Option<&str>) -> bool {
        match (self, field) {
            (Self::All, _) => true,
            (Self::Only(names), Some(field)) => names.contains(&field),
            (Self::Only(_), None) | (Self::Nothing, _) => false,
        }
    }
}

/// What one node shows to those who need it.
#[derive(Clone)]
pub(crate) struct Prospect {
    pub(crate) output: Option<Value>,
    pub(crate) survives: Survives,
    /// Whether it waits for a person.
    pub(crate) waits: bool,
}

impl Prospect {
    pub(crate) const NOTHING: Self = Self { output: None, survives: Survives::Nothing, waits: false };
}

/// All prospects of a graph, by position. Only this crate makes one.
pub struct Outlook(pub(crate) Vec<Prospect>);

mod sealed {
    pub trait Sealed {}
}

/// A set of references: one [`Ref`], an `Option` or a `Vec` of it, or a tuple of those.
///
/// The edges of the graph are read from here, and the values arrive through here, so an edge that carries a value cannot be
/// forgotten.
pub trait Needs: sealed::Sealed + Send + Sync + 'static {
    /// What is there today, for looking.
    type Present: Send + Sync;
    /// What will be there, for planning.
    type Known: Send + Sync;
    /// The values themselves, for applying.
    type Given: Send + Sync;

    /// The nodes referred to.
    fn edges(&self, into: &mut Vec<NodeIndex>);
    /// What is there today.
    fn present(&self, outlook: &Outlook) -> Self::Present;
    /// What will be there.
    fn known(&self, outlook: &Outlook) -> Self::Known;
    /// The values, once every one of them is there.
    fn given(&self, outlook: &Outlook) -> Option<Self::Given>;
}

impl<T> sealed::Sealed for Ref<T> {}

impl<T: Send + Sync + 'static> Needs for Ref<T> {
    type Present = Option<T>;
    type Known = Known<T>;
    type Given = T;

    fn edges(&self, into: &mut Vec<NodeIndex>) {
        into.push(self.node());
    }

    fn present(&self, outlook: &Outlook) -> Option<T> {
        outlook.0[self.node].output.as_ref().map(|value| (self.read)(value))
    }

    fn known(&self, outlook: &Outlook) -> Known<T> {
        match self.present(outlook) {
            None => Known::Unknown,
            Some(value) if outlook.0[self.node].survives.covers(self.field) => Known::Same(value),
            Some(value) => Known::WillChange(value),
        }
    }

    fn given(&self, outlook: &Outlook) -> Option<T> {
        self.present(outlook)
    }
}

impl<N> sealed::Sealed for Option<N> {}

impl<N: Needs> Needs for Option<N> {
    type Present = Option<N::Present>;
    type Known = Option<N::Known>;
    type Given = Option<N::Given>;

    fn edges(&self, into: &mut Vec<NodeIndex>) {
        if let Some(need) = self {
            need.edges(into);
        }
    }

    fn present(&self, outlook: &Outlook) -> Self::Present {
        self.as_ref().map(|need| need.present(outlook))
    }

    fn known(&self, outlook: &Outlook) -> Self::Known {
        self.as_ref().map(|need| need.known(outlook))
    }

    fn given(&self, outlook: &Outlook) -> Option<Self::Given> {
        match self {
            None => Some(None),
            Some(need) => need.given(outlook).map(Some),
        }
    }
}

impl<T> sealed::Sealed for Vec<Ref<T>> {}

/// A list is known as a whole: it stays the same only if every element does.
impl<T: Send + Sync + 'static> Needs for Vec<Ref<T>> {
    type Present = Option<Vec<T>>;
    type Known = Known<Vec<T>>;
    type Given = Vec<T>;

    fn edges(&self, into: &mut Vec<NodeIndex>) {
        into.extend(self.iter().map(Ref::node));
    }

    fn present(&self, outlook: &Outlook) -> Option<Vec<T>> {
        self.iter().map(|need| need.present(outlook)).collect()
    }

    fn known(&self, outlook: &Outlook) -> Known<Vec<T>> {
        let mut values = Vec::with_capacity(self.len());
        let mut same = true;
        for need in self {
            match need.known(outlook) {
                Known::Same(value) => values.push(value),
                Known::WillChange(value) => {
                    same = false;
                    values.push(value);
                }
                Known::Unknown => return Known::Unknown,
            }
        }
        if same { Known::Same(values) } else { Known::WillChange(values) }
    }

    fn given(&self, outlook: &Outlook) -> Option<Vec<T>> {
        self.present(outlook)
    }
}

macro_rules! tuple_of_needs {
    ($($name:ident)*) => {
        impl<$($name: Needs),*> sealed::Sealed for ($($name,)*) {}

        #[expect(non_snake_case, reason = "the tuple's members are named after their types")]
        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple reads nothing")]
        impl<$($name: Needs),*> Needs for ($($name,)*) {
            type Present = ($($name::Present,)*);
            type Known = ($($name::Known,)*);
            type Given = ($($name::Given,)*);

            fn edges(&self, into: &mut Vec<NodeIndex>) {
                let ($($name,)*) = self;
                $($name.edges(into);)*
            }

            fn present(&self, outlook: &Outlook) -> Self::Present {
                let ($($name,)*) = self;
                ($($name.present(outlook),)*)
            }

            fn known(&self, outlook: &Outlook) -> Self::Known {
                let ($($name,)*) = self;
                ($($name.known(outlook),)*)
            }

            fn given(&self, outlook: &Outlook) -> Option<Self::Given> {
                let ($($name,)*) = self;
                Some(($($name.given(outlook)?,)*))
            }
        }
    };
}

tuple_of_needs!(A);
tuple_of_needs!(A B);
tuple_of_needs!(A B C);
tuple_of_needs!(A B C D);
tuple_of_needs!(A B C D E);
tuple_of_needs!(A B C D E F);
tuple_of_needs!(A B C D E F G);
tuple_of_needs!(A B C D E F G H);

impl sealed::Sealed for () {}

impl Needs for () {
    type Present = ();
    type Known = ();
    type Given = ();

    fn edges(&self, _into: &mut Vec<NodeIndex>) {}
    fn present(&self, _outlook: &Outlook) {}
    fn known(&self, _outlook: &Outlook) {}
    fn given(&self, _outlook: &Outlook) -> Option<()> {
        Some(())
    }
}
