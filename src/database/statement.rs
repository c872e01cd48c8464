//! SQL that diesel prepares once and keeps.
//!
//! `diesel::sql_query` is parsed anew by the database at each call, which costs more than most of our
//! statements do. This macro makes a typed query of its own for each statement, and those are cached.

/// `statement!(Name { field: RustType as SqlType, … } -> (SqlTypes of a row) = "SQL " (field: SqlType) " more SQL")`
///
/// For SQLite; with `for Pg:` before the name, for PostgreSQL. What several statements have in common is one of its own, a field
/// `as ()` of theirs that `(include field)` puts in its place.
macro_rules! statement {
    (for Pg: $($rest:tt)+) => {
        $crate::database::statement!(@define [diesel::pg::Pg] $($rest)+);
    };
    (@define [$backend:ty] $(#[$doc:meta])* $name:ident { $($field:ident : $rust:ty as $sql:ty),* $(,)? } -> $row:ty = $($piece:tt)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, diesel::query_builder::QueryId)]
        pub(super) struct $name { $(pub(super) $field: $rust),* }

        impl diesel::query_builder::Query for $name {
            type SqlType = $row;
        }

        impl<C> diesel::RunQueryDsl<C> for $name {}

        impl diesel::query_builder::QueryFragment<$backend> for $name {
            #[allow(unused_mut, reason = "a statement without a field binds nothing")]
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::QueryResult<()> {
                $crate::database::statement!(@push self out $($piece)+);
                Ok(())
            }
        }
    };
    (@push $self:ident $out:ident $sql:literal $($rest:tt)*) => {
        $out.push_sql($sql);
        $crate::database::statement!(@push $self $out $($rest)*);
    };
    (@push $self:ident $out:ident (include $field:ident) $($rest:tt)*) => {
        diesel::query_builder::QueryFragment::walk_ast(&$self.$field, $out.reborrow())?;
        $crate::database::statement!(@push $self $out $($rest)*);
    };
    (@push $self:ident $out:ident ($field:ident : $sql:ty) $($rest:tt)*) => {
        $out.push_bind_param::<$sql, _>(&$self.$field)?;
        $crate::database::statement!(@push $self $out $($rest)*);
    };
    (@push $self:ident $out:ident) => {};
    ($($rest:tt)+) => {
        $crate::database::statement!(@define [diesel::sqlite::Sqlite] $($rest)+);
    };
}

pub(crate) use statement;
