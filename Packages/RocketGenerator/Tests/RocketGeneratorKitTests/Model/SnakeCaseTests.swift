import Testing

@testable import RocketGeneratorKit

@Suite("Name in lower case with underscores")
struct SnakeCaseTests {
    @Test(
        "Has an underscore before each further word",
        arguments: [
            ("makeOrder", "make_order"), ("MakeOrder", "make_order"), ("make_order", "make_order"),
            ("HTTPGet", "http_get"), ("get", "get"), ("getURL", "get_url"), ("_2fa", "2fa"),
            ("order-server", "order_server"), ("ID", "id"), ("a1B2", "a1_b2"),
        ])
    func breaks(name: String, snake: String) {
        #expect(SnakeCase.of(name) == snake)
    }
}
