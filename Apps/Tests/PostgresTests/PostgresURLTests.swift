import Testing

@testable import Postgres

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

    @Test("The hosts of a URL can be tried in another order")
    func hosts() throws {
        let url = try PostgresURL("postgresql://db1:5433,db2,db3:5435/shop?hostaddr=::1,::2,::3")
        #expect(url.hostCount == 3)
        let options = Dictionary(uniqueKeysWithValues: url.options(firstHost: 4))
        #expect(
            options == ["host": "db2,db3,db1", "hostaddr": "::2,::3,::1", "port": ",5435,5433"])
        let other = try PostgresURL("postgresql://db1,db2:5433/shop?port=5432")
        #expect(
            Dictionary(uniqueKeysWithValues: other.options(firstHost: 1)) == ["host": "db2,db1"])
        let one = try PostgresURL("postgresql:///shop")
        #expect(one.hostCount == 1 && one.options(firstHost: 1).isEmpty)
    }
}
