import RocketBase
import RocketCodec
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// What a server sends as pb_data of errors.
@Suite("Error replies with a status")
struct ErrorStatusReplyTests {
    private let block = "rkm1\n"
    private let fail = DetailService.fail.fullName

    private func read(_ answer: FrameKit.Answer) -> ErrorStatus? {
        ErrorStatus.read(answer.payload.span.bytes)
    }

    @Test("Only a peer that has sent a block gets a status, and from then on always")
    func onlyKnownPeers() throws {
        try ServerScene.with([DetailService(), TestService()], connections: 2) { _, clients in
            for (id, info, expected) in [("1", "", false), ("2", block, true), ("3", "", true)] {
                try clients[0].call(fail, id: id, info: info)
                let answer = try #require(try clients[0].answers().first)
                #expect(answer.code == .notFound && answer.info == "no order")
                #expect(answer.payload.isEmpty != expected)
                if !expected { continue }
                let status = try #require(read(answer))
                #expect(status.code == 5 && status.message == "no order")
                let details = try DetailService.error().details
                #expect(status.details == details)
                #expect(status.trailingMetadata == DetailService.trailing)
            }
            try clients[1].call(fail, id: "4")
            #expect(try clients[1].answers().map(\.payload) == [[]])
        }
    }

    @Test("An error without details and trailing metadata is sent as before")
    func plainError() throws {
        try ServerScene.with([DetailService(), TestService()]) { _, clients in
            // The responder has served a call with trailing metadata before.
            try clients[0].call(fail, id: "1", info: block)
            _ = try clients[0].answers()
            try clients[0].call(
                "test.v1.Test.fail", id: "2", info: block, payload: FrameKit().text("rpc"))
            try clients[0].call("test.v1.Test.none", id: "3", info: block)
            let answers = try clients[0].answers()
            #expect(answers.map(\.payload) == [[], []])
            #expect(answers.first?.info == "not you")
        }
    }

    @Test("Trailing metadata is in the block of a response")
    func response() throws {
        try ServerScene.with([DetailService()]) { _, clients in
            try clients[0].call(DetailService.succeed.fullName, id: "1")
            #expect(
                try clients[0].answers().map(\.info) == [
                    "rkm1\nx-a=1\ntrailing-x-b=2\ntrailing-trailing-c=3\ntrailing-t-bin=AAH%2B\n"
                ])
        }
    }

    @Test("A status that does not fit into a frame is left out")
    func smallFrames() throws {
        let codec = TinyPBCodec(maxFrameBytes: 150)
        try ServerScene.with([DetailService()], codec: codec) { _, clients in
            try clients[0].call(fail, id: "1", info: block)
            let answer = try #require(try clients[0].answers().first)
            #expect(answer.code == .notFound && answer.info == "no order")
            #expect(answer.payload.isEmpty)
        }
    }
}
