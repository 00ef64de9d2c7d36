import Testing

@testable import RocketGeneratorKit

@Suite("A project's name")
struct ProjectNameTests {
    @Test(
        "is the .proto file's",
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

    @Test("may have hyphens")
    func hyphens() throws {
        let name = try ProjectName("order-book")
        #expect(name.module == "OrderBook")
    }

    @Test(
        "is refused where no program or module can have it",
        arguments: ["", "Order", "9order", "a/b", "order ", "_a", "a_", "ördr", "..", "a.b"])
    func refused(name: String) {
        let failure = #expect(throws: GeneratorFailure.self) { try ProjectName(name) }
        #expect(failure?.description.contains("'\(name)'") == true)
        #expect(failure?.description.contains("--name") == true)
    }

    @Test(
        "is refused where Swift or a library has it",
        arguments: ["class", "import", "swift", "logging", "rocket_rpc", "testing", "main"])
    func taken(name: String) {
        #expect(throws: GeneratorFailure.self) { try ProjectName(name) }
    }
}
