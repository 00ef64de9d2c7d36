import CNATSAllocationCounter
import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketTCPTestKit
import Testing

@testable import RocketNATS

@Suite(.oneAtATime) struct NATSAllocationTests {
    @Test("Messages are published and received without an allocation for each")
    func messages() throws {
        let scene = try ClientScene()
        let subject = try NATSSubject("chat.main")
        var received = 0
        try scene.client.subscribe(subject) { message, _ in received += message.payload.count }
        try scene.connect()
        let payload = [UInt8](repeating: 65, count: 100)
        let batch = (0..<100).flatMap { _ in
            Array("MSG chat.main 1 100\r\n".utf8) + payload + Array("\r\n".utf8)
        }
        /// Runs ticks, as many with messages as without.
        func allocations(_ body: () -> Void) -> UInt64 {
            let before = rocket_nats_allocations()
            body()
            for _ in 0..<30 { scene.driven.tick() }
            return rocket_nats_allocations() - before
        }
        var found: [UInt64] = []
        // The first rounds fill the pool of buffers.
        for round in 0..<6 {
            scene.peer?.sendAll(batch)
            let receiving = allocations {}
            let publishing = allocations {
                for _ in 0..<100 { scene.client.publish(subject, payload.span.bytes) }
            }
            _ = scene.peer?.receiveAll()
            let idle = allocations {}
            // What a tick, or a read, takes is not of the messages.
            if round >= 3 { found += [receiving, publishing].map { $0 < idle ? 0 : $0 - idle } }
        }
        #expect(found.allSatisfy { $0 < 20 }, "\(found) for 100 messages each")
        #expect(received == 6 * 100 * 100)
        scene.end()
    }
}
