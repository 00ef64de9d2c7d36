import ArgumentParser
import RocketCodec
import RocketProgram
import RocketRPC
import Testing

@testable import RocketToolKit

@Suite struct CallCommandTests {
    private func refusal(_ arguments: String...) async -> String {
        do {
            _ = try await CallCommand.asyncParse(arguments)
            return "accepted"
        } catch { return CallCommand.message(for: error) }
    }

    @Test("Options may stand anywhere between address, method and requests")
    func options() async throws {
        let command = try await CallCommand.asyncParse([
            "--grpc", "localhost:80", "-H", "X-One: a: b", "Points.Sum", "-H", "two=c=d", "{}",
            "--timeout", "500ms", "{}", "-v", "--idempotency-key", "k",
        ])
        #expect(command.address == "localhost:80")
        #expect(command.method == "Points.Sum")
        #expect(command.requests == ["{}", "{}"])
        #expect(command.server.grpc && command.verbose)
        #expect(command.server.timeout?.duration == .milliseconds(500))
        let metadata = command.server.allMetadata
        #expect(metadata["x-one"] == "a: b")
        #expect(metadata["two"] == "c=d")
        #expect(metadata["idempotency-key"] == "k")
        #expect(command.server.reflectionCall.metadata["idempotency-key"] == nil)
        #expect(command.server.reflectionCall.metadata["x-one"] == "a: b")
        #expect(command.server.reflectionCall.timeout == .milliseconds(500))
    }

    @Test("--list and --describe take a server and a symbol, or with --proto only a symbol")
    func listing() async throws {
        #expect(try await CallCommand.asyncParse(["a:1", "--list"]).method == nil)
        #expect(try await CallCommand.asyncParse(["a:1", "--list", "Order"]).method == "Order")
        #expect(try await CallCommand.asyncParse(["--list", "--proto", "a.proto"]).address == nil)
        #expect(await refusal("a:1", "--describe") == "--describe needs a symbol")
        #expect(await refusal("--list") == "the address of a server is missing")
        #expect(
            await refusal("a:1", "b", "--list", "--describe") == "--list goes without --describe")
        #expect(await refusal("a:1", "b", "{}", "--list") == "--list and --describe take no JSON")
    }

    @Test("What is missing or does not fit together is refused")
    func usage() async {
        #expect(await refusal() == "the address of a server is missing")
        #expect(await refusal("a:1") == "a method is missing; --list shows which there are")
        #expect(await refusal("a:1", "b", "--import-path", "x") == "--import-path needs --proto")
        #expect(
            await refusal("a:1", "b", "--grpc", "--peer", "rocket")
                == "--peer is for TinyPB: it goes without --grpc")
        #expect(await refusal("a:1", "b", "-H", "no header").contains("is no 'name: value'"))
        #expect(await refusal("a:1", "b", "-H", "a b: c").contains("a name consists of a-z"))
    }

    @Test("Completion reads the command line so far, and completes full and short names")
    func completion() async {
        let names = ["shop.v1.Order.make", "shop.v1.Order.get", "shop.v1.Stock.get"]
        let command = await MethodCompletion.command(
            of: ["rocket", "call", "--grpc", "a:1", "Ord", "--timeout", "1s"])
        #expect(command?.address == "a:1")
        #expect(command?.server.grpc == true)
        #expect(await MethodCompletion.command(of: ["rocket", "check", "x"]) == nil)
        #expect(MethodCompletion.matching("", names) == names)
        #expect(MethodCompletion.matching("shop.v1.Order.g", names) == ["shop.v1.Order.get"])
        #expect(MethodCompletion.matching("Order.", names) == ["Order.make", "Order.get"])
        #expect(MethodCompletion.matching("None", names) == [])
    }
}
