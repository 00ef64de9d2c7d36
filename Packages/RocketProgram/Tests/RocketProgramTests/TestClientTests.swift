import RocketRPC
import SwiftProtobuf
import Testing

@testable import RocketProgram

@Suite("Test client of a service")
struct TestClientTests {
    private let commands = [
        TestClient.Command(
            RPCMethod<Google_Protobuf_StringValue, Google_Protobuf_Empty>(
                service: "shop.Order", name: "make")),
        TestClient.Command(
            RPCMethod<Google_Protobuf_Empty, Google_Protobuf_Empty>(
                service: "shop.Order", name: "find")),
    ]

    @Test(
        "Prints the usage for invalid arguments",
        arguments: [[], ["make"], ["make", "h"], ["make", "h", "x"], ["make", "h", "0"]])
    func usage(arguments: [String]) async {
        let error = await #expect(throws: ProgramFailure.self) {
            try await TestClient.call(commands, arguments) { _ in true }
        }
        #expect(error?.description.contains("METHOD HOST PORT [JSON]") == true)
    }

    @Test("Rejects a method that the service does not have and lists the others")
    func unknownMethod() async {
        let error = await #expect(throws: ProgramFailure.self) {
            try await TestClient.call(commands, ["made", "127.0.0.1", "1"]) { _ in true }
        }
        #expect(
            error?.description == "there is no method 'made'; the methods are make, find")
    }

    @Test("Rejects JSON that is not a request and names it")
    func badJSON() {
        let error = #expect(throws: ProgramFailure.self) {
            let _: Google_Protobuf_Duration = try TestClient.message("{\"a\":")
        }
        #expect(
            error?.description.hasPrefix("'{\"a\":' is no google.protobuf.Duration: ") == true)
    }

    @Test("Names its methods and their requests in the help")
    func help() {
        let help = TestClient.help("test_order_client", commands)
        #expect(help.contains("  make  shop.Order.make, a google.protobuf.StringValue\n"))
        #expect(help.contains("  find  shop.Order.find, a google.protobuf.Empty"))
    }

    @Test("Fails with the error of the call")
    func failsWithTheCall() async {
        // Port 1 of the loopback has no listener; the kernel refuses at once.
        await #expect(throws: RPCError.self) {
            try await TestClient.call(commands, ["make", "127.0.0.1", "1", "\"x\""]) { _ in true }
        }
    }
}
