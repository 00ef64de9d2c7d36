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
            ("postgresql://db/shop?sslmode=full", "verify-full"),
            ("postgresql://db/shop?target_session_attrs=writable", "read-write"),
            ("postgresql://db:65536/shop", "1 to 65535"),
            ("postgresql://db:0/shop", "1 to 65535"),
            ("postgresql://a,b/shop?port=1,2,3", "3 ports"),
            ("postgresql://a,b/shop?hostaddr=::1", "1 hostaddr"),
            ("postgresql://db/shop?connect_timeout=soon", "soon"),
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
            // Its password should be "secret/a": libpq sees another host and another port.
            "postgresql://orders:secret/a@db/shop",
        ])
    func password(text: String) {
        let error = #expect(throws: PostgresURL.Invalid.self) { try PostgresURL(text) }
        #expect(error?.description.contains("secret") == false, "\(String(describing: error))")
    }

    @Test("Each host of a URL is connected to by itself")
    func hosts() throws {
        let url = try PostgresURL("postgresql://u@a:1,b/shop?hostaddr=::1,::2&connect_timeout=3")
        #expect(url.hostCount == 2)
        #expect(
            url.hosts.map { $0.options.map { "\($0.keyword)=\($0.value)" } } == [
                ["host=a", "hostaddr=::1", "port=1"], ["host=b", "hostaddr=::2", "port=5432"],
            ])
        #expect((0..<2).map(url.name) == ["a:1", "b"])
        #expect(url.connectTimeout == .seconds(3))
    }

    @Test("A URL without hosts, or with one, leaves all to libpq", arguments: ["", "db:1"])
    func oneHost(host: String) throws {
        let url = try PostgresURL("postgresql://\(host)/shop")
        #expect(url.hostCount == 1 && url.hosts[0].options.isEmpty)
    }

    @Test(
        "A URL for servers that take no writes is known",
        arguments: [("read-only", true), ("standby", true), ("primary", false), ("any", false)])
    func readOnly(attributes: String, isReadOnly: Bool) throws {
        let url = try PostgresURL("postgresql://db/shop?target_session_attrs=\(attributes)")
        #expect(url.isReadOnly == isReadOnly)
    }
}
