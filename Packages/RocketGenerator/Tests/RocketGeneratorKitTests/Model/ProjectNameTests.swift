import Testing

@testable import RocketGeneratorKit

@Suite("Name of a project")
struct ProjectNameTests {
    @Test(
        "Is derived from the .proto file",
        arguments: [
            ("order.proto", "order", "Order"),
            ("shop/v1/OrderBook.proto", "order_book", "OrderBook"),
            ("order_server.proto", "order_server", "OrderServer"),
            ("order-server.proto", "order_server", "OrderServer"),
        ])
    func fromProto(path: String, program: String, module: String) throws {
        let name = try ProjectName(proto: path)
        #expect(name.program == program && name.module == module)
    }

    @Test("Can have hyphens")
    func hyphens() throws {
        let name = try ProjectName("order-book")
        #expect(name.module == "OrderBook")
    }

    @Test(
        "Must be valid for a program and a module",
        arguments: ["", "Order", "9order", "a/b", "order ", "_a", "a_", "ördr", "..", "a.b"])
    func refused(name: String) {
        let failure = #expect(throws: GeneratorFailure.self) { try ProjectName(name) }
        #expect(failure?.description.contains("'\(name)'") == true)
        #expect(failure?.description.contains("--name") == true)
    }

    @Test(
        "Must not be a name of Swift or of a library",
        arguments: ["class", "import", "swift", "logging", "rocket_rpc", "testing", "main"])
    func taken(name: String) {
        #expect(throws: GeneratorFailure.self) { try ProjectName(name) }
    }
}
