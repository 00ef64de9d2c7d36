/* sqlite_orders FILE ORDERS_PER_TRANSACTION SECONDS: stores orders in a plain loop over SQLite,
   with the tables, statements and settings of order_server's store, without network and threads.

   Prints orders and transactions per second. */
#define _GNU_SOURCE
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static sqlite3 *db;

static void check(int result, int expected) {
    if (result == expected) return;
    fprintf(stderr, "sqlite_orders: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void run(const char *sql) { check(sqlite3_exec(db, sql, 0, 0, 0), SQLITE_OK); }

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, 0), SQLITE_OK);
    return statement;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count != 4) return fprintf(stderr, "usage: sqlite_orders FILE BATCH SECONDS\n"), 2;
    int batch = atoi(words[2]);
    double seconds = atof(words[3]);
    if (sqlite3_open(words[1], &db) != SQLITE_OK) return fprintf(stderr, "cannot open\n"), 1;
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA foreign_keys = ON");
    run("CREATE TABLE orders(sequence INTEGER PRIMARY KEY AUTOINCREMENT, price INTEGER NOT NULL,"
        " goods TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;"
        "CREATE TABLE idempotency_keys(sequence INTEGER PRIMARY KEY REFERENCES orders(sequence),"
        " created_ms INTEGER NOT NULL, key TEXT NOT NULL UNIQUE) STRICT;"
        "CREATE INDEX idempotency_keys_created ON idempotency_keys(created_ms)");
    sqlite3_stmt *begin = prepare("BEGIN IMMEDIATE"), *commit = prepare("COMMIT");
    sqlite3_stmt *find = prepare(
        "SELECT o.sequence, o.price, o.goods, o.created_ms, k.created_ms FROM idempotency_keys k"
        " JOIN orders o ON o.sequence = k.sequence WHERE k.key = ?");
    sqlite3_stmt *order = prepare("INSERT INTO orders(price, goods, created_ms) VALUES (?, ?, ?)");
    sqlite3_stmt *key_of =
        prepare("INSERT INTO idempotency_keys(sequence, created_ms, key) VALUES (?, ?, ?)");

    long orders = 0, transactions = 0;
    double start = now(), end = start + seconds;
    while (now() < end) {
        check(sqlite3_step(begin), SQLITE_DONE);
        sqlite3_reset(begin);
        for (int i = 0; i < batch; i++, orders++) {
            char key[64];
            int length = snprintf(key, sizeof key, "load-%d-%ld", i, orders);
            sqlite3_int64 milliseconds = (sqlite3_int64)(now() * 1000);
            sqlite3_bind_text(find, 1, key, length, SQLITE_STATIC);
            check(sqlite3_step(find), SQLITE_DONE);
            sqlite3_reset(find);
            sqlite3_bind_int(order, 1, 100);
            sqlite3_bind_text(order, 2, key, length, SQLITE_STATIC);
            sqlite3_bind_int64(order, 3, milliseconds);
            check(sqlite3_step(order), SQLITE_DONE);
            sqlite3_reset(order);
            sqlite3_bind_int64(key_of, 1, sqlite3_last_insert_rowid(db));
            sqlite3_bind_int64(key_of, 2, milliseconds);
            sqlite3_bind_text(key_of, 3, key, length, SQLITE_STATIC);
            check(sqlite3_step(key_of), SQLITE_DONE);
            sqlite3_reset(key_of);
        }
        check(sqlite3_step(commit), SQLITE_DONE);
        sqlite3_reset(commit);
        transactions++;
    }
    double took = now() - start;
    printf("%.0f %.0f\n", orders / took, transactions / took);
    return 0;
}
