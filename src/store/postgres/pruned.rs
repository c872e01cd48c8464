//! That results are gone: from which slot on there are some, and nothing else that only concerned earlier slots.

use diesel::result::QueryResult;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::clock::Timestamp;
use crate::database::statement;

/// Notes that results of slots before `cut` are gone, and forgets what was known of these slots.
pub(super) async fn mark(connection: &mut AsyncPgConnection, cut: Timestamp) -> QueryResult<()> {
    MarkPruned { cut }.execute(connection).await?;
    DropGaps { cut }.execute(connection).await?;
    DropClockGaps { cut }.execute(connection).await?;
    DropSpans { cut }.execute(connection).await?;
    Ok(())
}

statement!(for Pg: MarkPruned { cut: Timestamp as Timestamptz } -> () =
    "UPDATE scheduler_state SET pruned_before = greatest(pruned_before, " (cut: Timestamptz) ") WHERE id = 1");

statement!(for Pg: DropGaps { cut: Timestamp as Timestamptz } -> () =
    "DELETE FROM schedule_gap WHERE until_at < " (cut: Timestamptz));

statement!(for Pg: DropClockGaps { cut: Timestamp as Timestamptz } -> () =
    "DELETE FROM clock_gap WHERE until_at < " (cut: Timestamptz));

statement!(for Pg: DropSpans { cut: Timestamp as Timestamptz } -> () =
    "DELETE FROM site_schedule WHERE valid_to < " (cut: Timestamptz) " AND (first_slot IS NULL OR first_slot < " (cut: Timestamptz) ")");
