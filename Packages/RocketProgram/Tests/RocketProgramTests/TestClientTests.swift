import RocketRPC
import SwiftProtobuf
import Testing

@testable import RocketProgram

@Suite("A client for one method")
struct TestClientTests {
    private let method = RPCMethod<Google_Protobuf_StringValue, Google_Protobuf_Empty>(
        service: "shop.Order", name: "make")

    @Test(
        "tells what to type when it is something else",
        arguments: [[], ["h"], ["h", "x"], ["h", "0"]])
    func usage(arguments: [String]) async {
        let error = await #expect(throws: ProgramFailure.self) {
            _ = try await TestClient.answer(method, arguments)
        }
        #expect(error?.description.contains("HOST PORT [JSON]") == true)
    }

    @Test("names the JSON that is no request")
    func badJSON() {
        let error = #expect(throws: ProgramFailure.self) {
            let _: Google_Protobuf_Duration = try TestClient.message("{\"a\":")
        }
        #expect(
            error?.description.hasPrefix("'{\"a\":' is no google.protobuf.Duration: ") == true)
    }

    @Test("says of which method it is")
    func help() {
        #expect(TestClient.help("test_make_client", method).contains("shop.Order.make"))
    }

    @Test("fails as the call fails")
    func nobodyListens() async {
        // Port 1 of the loopback has no listener; the kernel refuses at once.
        await #expect(throws: RPCError.self) {
            _ = try await TestClient.answer(method, ["127.0.0.1", "1", "\"x\""])
        }
    }
}
