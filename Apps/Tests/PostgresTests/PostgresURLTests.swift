import Postgres
import Testing

struct PostgresURLTests {
    @Test(
        "A URL is shown with user, hosts and database only",
        arguments: [
            (
                "postgresql://orders@db1:5433,db2/shop?sslmode=require&passfile=/etc/pgpass",
                "postgresql://orders@db1:5433,db2/shop"
            ),
            ("postgres:///shop?host=/run/postgresql", "postgresql:///run/postgresql/shop"),
            ("postgresql://", "postgresql:///"),
        ])
    func description(text: String, shown: String) throws {
        #expect(try PostgresURL(text).description == shown)
    }

    @Test(
        "A text that is no URL is refused with the reason",
        arguments: [
            ("orders.sqlite", "begins with postgresql://"),
            ("host=db dbname=shop", "begins with postgresql://"),
            ("postgresql://db/shop?sslmod=require", "sslmod"),
            ("postgresql://[::1/shop", "]"),
        ])
    func invalid(text: String, reason: String) {
        let error = #expect(throws: PostgresURL.Invalid.self) { try PostgresURL(text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test(
        "A URL with a password is refused, and the password is not shown",
        arguments: [
            "postgresql://orders:secret@db/shop", "postgresql://db/shop?password=secret",
            "postgresql://orders:secret%zz@db/shop",
            "postgresql://orders:secret@db/shop?nonsense=secret",
            "postgresql://db/shop?sslpassword=secret",
        ])
    func password(text: String) {
        let error = #expect(throws: PostgresURL.Invalid.self) { try PostgresURL(text) }
        #expect(error?.description.contains("secret") == false, "\(String(describing: error))")
    }
}
