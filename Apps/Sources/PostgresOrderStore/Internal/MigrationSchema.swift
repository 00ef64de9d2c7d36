import OrderStoring
import Postgres

/// The statements that copy a store into a database.
///
/// While that has not ended, triggers refuse all changes of others: order_servers of this database
/// that run already store nothing, and others do not start (`refuseUnfinished`). The row of
/// `order_migration` has the position up to which orders and keys are copied, which each transaction
/// changes with them; it stays when the migration has ended.
enum MigrationSchema {
    /// The lock of a migration, of its session.
    static let lock = 0x726f_636b_6574_03 as Int64

    /// Fails while orders are being copied into the database.
    static let refuseUnfinished = """
        DO $block$
        DECLARE name text;
        BEGIN
            SELECT source INTO name FROM order_migration WHERE finished IS NULL;
            IF FOUND THEN \(raise) END IF;
        END
        $block$
        """

    /// Raises the error that tells what to do; `name` has the store that is copied.
    private static let raise = """
        RAISE EXCEPTION 'the migration of % into this database has not ended: repeat it \
        (order_server --migrate % URL), it goes on where it was', name, name
        USING ERRCODE = '\(PostgresSchema.migrationState)';
        """

    /// Waits for the lock, but not long: another migration, or one that was killed and whose session
    /// has not ended yet, has it.
    static func acquire(within time: Duration) -> [PostgresStatement] {
        [
            PostgresStatement(
                "SELECT set_config('lock_timeout', '\(max(1, time.milliseconds))', true)"),
            PostgresStatement("SELECT pg_advisory_lock(\(lock))"),
        ]
    }

    /// Begins, or goes on. Changes nothing in a database that has or had orders of others: there is no
    /// row then.
    ///
    /// Its last rows are those of `order_migration`: source, newest, newest_ms, position, last, orders,
    /// keys, the time at which it has ended.
    static func begin(_ source: some OrderExporting, newestMilliseconds: Int64?)
        -> [PostgresStatement]
    {
        var parameters = PostgresParameters()
        parameters.append(source.path)
        parameters.append(source.newest?.sequence)
        parameters.append(newestMilliseconds)
        return [
            // Not between a start of a server and its check, nor in the middle of a transaction.
            PostgresStatement("SELECT pg_advisory_xact_lock(\(PostgresSchema.schemaLock))"),
            PostgresStatement("SELECT pg_advisory_xact_lock(\(PostgresSchema.writeLock))"),
            PostgresStatement(
                """
                INSERT INTO order_migration(source, newest, newest_ms)
                SELECT $1::text, $2::bigint, $3::bigint FROM order_sequence WHERE NOT is_called
                    AND NOT EXISTS (SELECT FROM orders) AND NOT EXISTS (SELECT FROM idempotency_keys)
                ON CONFLICT DO NOTHING
                """, parameters),
            PostgresStatement(guardTables),
            PostgresStatement(
                """
                SELECT source, newest, newest_ms, position, last, orders, keys,
                    to_char(finished AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                FROM order_migration
                """),
        ]
    }

    private static let guarded = ["orders", "idempotency_keys", "order_batches"]

    /// Refuses changes by sessions that don't migrate, and makes the keys of a block quick to find.
    private static let guardTables = """
        DO $block$
        BEGIN
            IF NOT EXISTS (SELECT FROM order_migration WHERE finished IS NULL) THEN RETURN; END IF;
            CREATE INDEX IF NOT EXISTS idempotency_keys_sequence ON idempotency_keys(sequence);
            CREATE OR REPLACE FUNCTION order_migration_guard() RETURNS trigger LANGUAGE plpgsql
            AS $guard$
            DECLARE name text;
            BEGIN
                IF current_setting('rocket.migrates', true) = 'on' THEN RETURN NULL; END IF;
                SELECT source INTO name FROM order_migration;
                \(raise)
            END
            $guard$;
            \(guarded.map {
                """
                CREATE OR REPLACE TRIGGER order_migration_guard
                    BEFORE INSERT OR UPDATE OR DELETE ON \($0)
                    FOR EACH STATEMENT EXECUTE FUNCTION order_migration_guard();
                """
            }.joined(separator: "\n"))
        END
        $block$
        """

    /// First of each transaction that changes orders: lets the triggers pass. It need not be on disk
    /// before the next one: a crash of the database loses the position with the orders, and the end of
    /// the migration is on disk, with all that was before it.
    private static let changes = PostgresStatement(
        """
        SELECT set_config('rocket.migrates', 'on', true),
            set_config('synchronous_commit', 'off', true)
        """)

    /// Replaces all that the database has of a block.
    static func copy(_ block: OrderBlock) -> [PostgresStatement] {
        var range = PostgresParameters()
        range.append(block.after)
        range.append(block.through)
        var orders = PostgresParameters()
        orders.append(block.orders.map(\.id.sequence))
        orders.append(block.orders.map(\.price))
        orders.append(block.orders.map { $0.goods as String? })
        orders.append(block.orders.map(\.createdMilliseconds))
        var keys = PostgresParameters()
        keys.append(block.idempotencyKeys.map { $0.key as String? })
        keys.append(block.idempotencyKeys.map(\.sequence))
        keys.append(block.idempotencyKeys.map(\.createdMilliseconds))
        var position = PostgresParameters()
        position.append(block.orders.last?.id.sequence ?? block.after)
        return [
            changes,
            PostgresStatement(
                "DELETE FROM orders WHERE sequence > $1::bigint AND sequence <= $2::bigint", range),
            PostgresStatement(
                """
                DELETE FROM idempotency_keys WHERE sequence > $1::bigint AND sequence <= $2::bigint
                """, range),
            PostgresStatement(
                """
                INSERT INTO orders(sequence, price, goods, created_ms)
                SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::bigint[])
                """, orders),
            // A key that was copied with an earlier order, and has expired since.
            PostgresStatement(
                """
                INSERT INTO idempotency_keys(key, sequence, created_ms)
                SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
                ON CONFLICT (key) DO UPDATE
                SET sequence = excluded.sequence, created_ms = excluded.created_ms
                """, keys),
            PostgresStatement(
                "UPDATE order_migration SET position = greatest(position, $1::bigint)", position),
        ]
    }

    /// Reads what the database has of a block: orders (as `PostgresSchema.list`), and keys, each at
    /// most one more than the block has.
    static func read(_ block: OrderBlock) -> [PostgresStatement] {
        var orders = PostgresParameters()
        orders.append(block.after)
        orders.append(block.through)
        var keys = orders
        orders.append(Int64(block.orders.count) + 1)
        keys.append(Int64(block.idempotencyKeys.count) + 1)
        return [
            PostgresStatement(PostgresSchema.list.sql, orders),
            PostgresStatement(
                """
                SELECT key, sequence, created_ms FROM idempotency_keys
                WHERE sequence > $1::bigint AND sequence <= $2::bigint ORDER BY sequence LIMIT $3::bigint
                """, keys),
        ]
    }

    /// Ends the migration: new orders have numbers behind `last`.
    static func finish(_ totals: OrderTotals, last: Int64) -> [PostgresStatement] {
        var sequence = PostgresParameters()
        sequence.append(last)
        var row = sequence
        row.append(totals.orders)
        row.append(totals.keys)
        return [
            // A server that is about to store orders takes numbers before the triggers refuse it.
            PostgresStatement("SELECT pg_advisory_xact_lock(\(PostgresSchema.writeLock))"),
            PostgresStatement(
                "SELECT setval('order_sequence', $1::bigint) WHERE $1::bigint > 0", sequence),
            PostgresStatement("DROP FUNCTION order_migration_guard() CASCADE"),
            PostgresStatement("DROP INDEX idempotency_keys_sequence"),
            PostgresStatement("ANALYZE orders, idempotency_keys"),
            PostgresStatement(
                """
                UPDATE order_migration SET last = $1::bigint, orders = $2::bigint, keys = $3::bigint,
                    finished = now()
                """, row),
        ]
    }
}
