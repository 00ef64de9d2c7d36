import RocketRPC
import SwiftProtobuf
import Testing

@testable import RocketProgram

@Suite("Test client of a method")
struct TestClientTests {
    private let method = RPCMethod<Google_Protobuf_StringValue, Google_Protobuf_Empty>(
        service: "shop.Order", name: "make")

    @Test(
        "Prints the usage for invalid arguments",
        arguments: [[], ["h"], ["h", "x"], ["h", "0"]])
    func usage(arguments: [String]) async {
        let error = await #expect(throws: ProgramFailure.self) {
            _ = try await TestClient.call(method, arguments)
        }
        #expect(error?.description.contains("HOST PORT [JSON]") == true)
    }

    @Test("Rejects JSON that is not a request and names it")
    func badJSON() {
        let error = #expect(throws: ProgramFailure.self) {
            let _: Google_Protobuf_Duration = try TestClient.message("{\"a\":")
        }
        #expect(
            error?.description.hasPrefix("'{\"a\":' is no google.protobuf.Duration: ") == true)
    }

    @Test("Names its method in the help")
    func help() {
        #expect(TestClient.help("test_make_client", method).contains("shop.Order.make"))
    }

    @Test("Fails with the error of the call")
    func failsWithTheCall() async {
        // Port 1 of the loopback has no listener; the kernel refuses at once.
        await #expect(throws: RPCError.self) {
            _ = try await TestClient.call(method, ["127.0.0.1", "1", "\"x\""])
        }
    }
}
