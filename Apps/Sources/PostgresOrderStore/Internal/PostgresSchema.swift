import OrderStoring
import Postgres

/// The tables with their migrations, and all statements.
///
/// `orders.sequence` is the order of the list and the unique part of the id. All transactions that
/// store orders have one advisory lock until they are committed, and take their numbers from the
/// sequence behind it. So no number becomes visible before a smaller one: whoever has read up to a
/// position has read all that will ever be before it. They are blocks of orders, so the lock costs
/// one transaction at a time, not one order at a time.
///
/// `order_batches` has the last transactions of each server: after a lost connection it tells whether
/// one was committed.
enum PostgresSchema {
    /// The lock of those who store orders, and of migrations: "rocket", and a number.
    static let writeLock = 0x726f_636b_6574_01 as Int64
    static let schemaLock = 0x726f_636b_6574_02 as Int64
    /// The lock of the server that removes old orders.
    static let retentionLock = 0x726f_636b_6574_04 as Int64

    /// SQLSTATE of a schema that this program does not know.
    static let newerState = "RK001"
    /// SQLSTATE of a database that can't have all texts.
    static let encodingState = "RK002"
    /// SQLSTATE of a database into which a store is being migrated.
    static let migrationState = "RK003"

    /// From each version to the next one.
    static let migrations = [
        """
        CREATE SEQUENCE order_sequence AS bigint;
        CREATE TABLE orders(
            sequence bigint PRIMARY KEY,
            price integer NOT NULL,
            goods text NOT NULL,
            created_ms bigint NOT NULL
        );
        CREATE TABLE idempotency_keys(
            key text COLLATE "C" PRIMARY KEY,
            sequence bigint NOT NULL,
            created_ms bigint NOT NULL
        );
        CREATE INDEX idempotency_keys_created ON idempotency_keys(created_ms);
        CREATE TABLE order_batches(
            server bigint NOT NULL,
            number bigint NOT NULL,
            before bigint,
            known integer[],
            created timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (server, number)
        );
        """,
        // The store that was, or is being, copied into this one: see MigrationSchema.
        """
        CREATE TABLE order_migration(
            id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
            source text NOT NULL,
            newest bigint,
            newest_ms bigint,
            position bigint NOT NULL DEFAULT 0,
            started timestamptz NOT NULL DEFAULT now(),
            last bigint,
            orders bigint,
            keys bigint,
            finished timestamptz
        );
        """,
    ]

    /// Creates the tables, or applies the migrations that they have not had. A role that may not
    /// create tables can use those of another one.
    static var migrate: String {
        let steps = migrations.enumerated().map { index, sql in
            """
            IF version < \(index + 1) THEN
                EXECUTE $migration$ \(sql) $migration$;
                INSERT INTO order_schema(version) VALUES (\(index + 1));
            END IF;
            """
        }
        return """
            DO $block$
            DECLARE version integer;
            BEGIN
                IF current_setting('server_encoding') <> 'UTF8' THEN
                    RAISE EXCEPTION 'its encoding is not UTF8' USING ERRCODE = '\(encodingState)';
                END IF;
                IF current_setting('transaction_read_only') = 'on' THEN
                    RAISE EXCEPTION 'it takes no writes' USING ERRCODE = '25006';
                END IF;
                -- Whoever connects again needs no lock, which a server in a migration has.
                -- Not to_regclass: it would not see later that another server has made the table.
                PERFORM FROM pg_class WHERE relname = 'order_schema' AND pg_table_is_visible(oid);
                IF FOUND THEN
                    SELECT coalesce(max(s.version), 0) INTO version FROM order_schema s;
                    IF version = \(migrations.count) THEN
                        RETURN;
                    END IF;
                END IF;
                PERFORM pg_advisory_xact_lock(\(schemaLock));
                IF to_regclass('order_schema') IS NULL THEN
                    CREATE TABLE order_schema(
                        version integer PRIMARY KEY,
                        applied timestamptz NOT NULL DEFAULT now()
                    );
                END IF;
                SELECT coalesce(max(s.version), 0) INTO version FROM order_schema s;
                IF version > \(migrations.count) THEN
                    RAISE EXCEPTION 'its tables have version %, and this program knows \(migrations.count)',
                        version USING ERRCODE = '\(newerState)';
                END IF;
                \(steps.joined(separator: "\n"))
            END
            $block$
            """
    }

    /// Settings of a session: the first value is the time for a statement, the second one that for a
    /// lock. An order that was confirmed is on disk, whatever the database's default is. A server that
    /// vanishes in a transaction must not have its locks for long. A commit whose wait for standbys was
    /// cancelled is known by a warning only.
    ///
    /// The statements find rows by indexes, and are planned once: for a few orders PostgreSQL would plan
    /// each time, which takes longer than to store them. So a plan that was made for empty tables must
    /// be right for full ones.
    static let settings = """
        SELECT set_config('statement_timeout', $1::text, false),
            set_config('lock_timeout', $2::text, false),
            set_config('idle_in_transaction_session_timeout', $1::text, false),
            set_config('tcp_keepalives_idle', '5', false),
            set_config('tcp_keepalives_interval', '2', false),
            set_config('tcp_keepalives_count', '3', false),
            set_config('plan_cache_mode', 'force_generic_plan', false),
            set_config('enable_seqscan', 'off', false),
            set_config('enable_bitmapscan', 'off', false),
            set_config('enable_hashjoin', 'off', false),
            set_config('enable_mergejoin', 'off', false),
            set_config('jit', 'off', false),
            set_config('client_min_messages', 'warning', false),
            set_config('default_transaction_isolation', 'read committed', false),
            set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)
        """

    /// The parameters of `settings`.
    static func settings(statementTimeout: Duration) -> PostgresParameters {
        var parameters = PostgresParameters()
        let timeout = statementTimeout.milliseconds
        parameters.append("\(timeout)")
        // Shorter, so that the reason is clear.
        parameters.append("\(max(1, timeout * 3 / 4))")
        return parameters
    }

    /// Before each statement that stores orders, in its transaction: that sees what was committed
    /// before the lock was released.
    static let lock = Statement("lock", "SELECT pg_advisory_xact_lock(\(writeLock))")

    /// Stores a batch: server, number, time, time of the last expired key, prices, goods, keys.
    ///
    /// Returns number 0 with the sequence number before the first new order, then the numbers (from
    /// 1) of the drafts whose keys are known, each with its order. The other drafts have the sequence
    /// numbers behind, in their order.
    static let store = Statement(
        "store",
        """
        WITH input AS MATERIALIZED (
            SELECT * FROM unnest($5::integer[], $6::text[], $7::text[]) WITH ORDINALITY
                AS i(price, goods, key, number)
        ), known AS MATERIALIZED (
            SELECT i.number, o.sequence, o.price, o.goods, o.created_ms
            FROM input i JOIN idempotency_keys k ON k.key = i.key COLLATE "C" AND k.created_ms > $4::bigint
                JOIN orders o ON o.sequence = k.sequence
        ), counts AS MATERIALIZED (
            SELECT (SELECT count(*) FROM input) - (SELECT count(*) FROM known) AS new
        ), block AS MATERIALIZED (
            SELECT CASE WHEN new = 0 THEN 0 ELSE
                setval('order_sequence', nextval('order_sequence') + new - 1) - new END AS before
            FROM counts
        ), fresh AS MATERIALIZED (
            SELECT i.price, i.goods, i.key, block.before + row_number() OVER (ORDER BY i.number)
                AS sequence
            FROM input i, block WHERE i.number NOT IN (SELECT number FROM known)
        ), stored AS (
            INSERT INTO orders(sequence, price, goods, created_ms)
            SELECT sequence, price, goods, $3::bigint FROM fresh
        ), keyed AS (
            INSERT INTO idempotency_keys(key, sequence, created_ms)
            SELECT key, sequence, $3::bigint FROM fresh WHERE key IS NOT NULL
            ON CONFLICT (key) DO UPDATE
            SET sequence = excluded.sequence, created_ms = excluded.created_ms
        ), batch AS (
            INSERT INTO order_batches(server, number, before, known)
            SELECT $1::bigint, $2::bigint, before, ARRAY(SELECT number::integer FROM known)
            FROM block
        )
        SELECT 0::bigint, before, 0, ''::text, 0::bigint FROM block
        UNION ALL
        SELECT number, sequence, price, goods, created_ms FROM known
        """)

    /// Makes a batch impossible that was not committed: server, number. Waits for a transaction that
    /// is about to store it. Always writes: so the end of its transaction waits for synchronous
    /// standbys, and then they have the batch too, which may have been committed without them.
    static let abandon = Statement(
        "abandon",
        """
        INSERT INTO order_batches(server, number) VALUES ($1::bigint, $2::bigint)
        ON CONFLICT (server, number) DO UPDATE SET created = now()
        """)

    /// What became of a batch: server, number. Returns, once for each draft with a known key, the
    /// sequence number before the first new order, NULL if it was not committed; and the number of
    /// the draft, or NULL.
    static let outcome = Statement(
        "outcome",
        """
        SELECT b.before, k.number FROM order_batches b LEFT JOIN unnest(b.known) AS k(number) ON true
        WHERE b.server = $1::bigint AND b.number = $2::bigint
        """)

    /// Writes, and stores no order: server, number.
    static let probe = Statement(
        "probe",
        """
        INSERT INTO order_batches(server, number) VALUES ($1::bigint, $2::bigint)
        """)

    /// Deletes expired keys: the time of the last one, and how many at most. Returns those deleted.
    static let deleteKeys = Statement(
        "delete_keys",
        """
        WITH deleted AS (
            DELETE FROM idempotency_keys WHERE key IN (
                SELECT key FROM idempotency_keys WHERE created_ms <= $1::bigint
                ORDER BY created_ms LIMIT $2::bigint FOR UPDATE SKIP LOCKED)
            RETURNING 1
        )
        SELECT count(*) FROM deleted
        """)

    /// Deletes batches of this server before a number, and those of servers that have ended.
    static let deleteBatches = Statement(
        "delete_batches",
        """
        DELETE FROM order_batches WHERE server = $1::bigint AND number < $2::bigint
            OR created < now() - interval '1 day'
        """)

    /// Whether this server may remove old orders.
    static let beginRetention = Statement(
        "begin_retention", "SELECT pg_try_advisory_lock(\(retentionLock))")

    static let endRetention = Statement(
        "end_retention", "SELECT pg_advisory_unlock(\(retentionLock))")

    /// Removes old orders and their keys: the number behind which it begins, the time of the last old
    /// order, that of the last expired key, the time now, and how many orders are looked at. An order
    /// and its key have one time, by which the key is found.
    ///
    /// Returns how many were removed, the number of the last one that was looked at (NULL: there was
    /// none), how many were looked at, whether one of them is old, and whether one has no time to come.
    static let removeOrders = Statement(
        "remove_orders",
        """
        WITH page AS MATERIALIZED (
            SELECT o.sequence, o.created_ms, o.created_ms <= $2::bigint AS old, EXISTS (
                SELECT FROM idempotency_keys k WHERE k.created_ms = o.created_ms
                    AND k.sequence = o.sequence AND k.created_ms > $3::bigint) AS kept
            FROM orders o WHERE o.sequence > $1::bigint ORDER BY o.sequence LIMIT $5::bigint
        ), removed AS (
            DELETE FROM orders o USING page p
            WHERE o.sequence = p.sequence AND p.old AND NOT p.kept
            RETURNING 1
        ), keys AS (
            DELETE FROM idempotency_keys k USING page p
            WHERE k.created_ms = p.created_ms AND k.sequence = p.sequence AND p.old AND NOT p.kept
        )
        SELECT (SELECT count(*) FROM removed), max(sequence), count(*), bool_or(old),
            bool_or(created_ms <= $4::bigint) FROM page
        """)

    /// The last number that was given, and the newest order; under the lock.
    static let newest = Statement(
        "newest",
        """
        SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END, o.sequence, o.created_ms
        FROM order_sequence s LEFT JOIN
            (SELECT sequence, created_ms FROM orders ORDER BY sequence DESC LIMIT 1) o ON true
        """)

    static let find = Statement(
        "find",
        "SELECT sequence, price, goods, created_ms FROM orders WHERE sequence = $1::bigint")

    /// The orders behind a number and up to another one, and how many at most.
    static let list = Statement(
        "list",
        """
        SELECT sequence, price, goods, created_ms FROM orders
        WHERE sequence > $1::bigint AND sequence <= $2::bigint ORDER BY sequence LIMIT $3::bigint
        """)

    /// A statement that a session has prepared.
    struct Statement: Sendable {
        let name: String
        let sql: String

        init(_ name: String, _ sql: String) {
            self.name = name
            self.sql = sql
        }
    }
}
