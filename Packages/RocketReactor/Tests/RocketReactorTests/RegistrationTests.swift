import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct RegistrationTests {
    @Test("Delivers no event of a closed descriptor to the next owner of its number")
    func eventsOfAClosedDescriptorAreDropped() throws {
        let hand = try HandDrivenLoop()
        let reactor = hand.reactor
        var latecomer: Endpoint?
        var endpoints: [Endpoint] = []
        for _ in 0..<2 {
            endpoints.append(
                try Endpoint(on: reactor) { endpoint, reactor in
                    // The first one closes the other, whose event has been fetched in this tick.
                    guard latecomer == nil, let other = endpoints.first(where: { $0 !== endpoint })
                    else { return }
                    let number = other.number
                    other.cancelAndClose()
                    latecomer = try? Endpoint(on: reactor)
                    #expect(latecomer?.number == number)
                })
        }
        for endpoint in endpoints { endpoint.poke() }
        #expect(hand.tick().events == 1)
        #expect(latecomer?.events == [])
        latecomer?.poke()
        hand.tick()
        #expect(latecomer?.events == [.readable])
        latecomer?.cancelAndClose()
        for endpoint in endpoints { endpoint.cancelAndClose() }
        endpoints = []
    }

    @Test("Delivers no event whose interest an earlier callback removed")
    func removedInterestIsRespected() throws {
        let hand = try HandDrivenLoop()
        var endpoints: [Endpoint] = []
        for _ in 0..<2 {
            endpoints.append(
                try Endpoint(on: hand.reactor) { endpoint, _ in
                    for other in endpoints where other !== endpoint {
                        other.registration?.setInterest([])
                    }
                })
        }
        for endpoint in endpoints { endpoint.poke() }
        #expect(hand.tick().events == 1)
        hand.tick()
        #expect(endpoints.map(\.events.count).sorted() == [0, 2])
        for endpoint in endpoints { endpoint.cancelAndClose() }
        endpoints = []
    }

    @Test("Passes the changes of a tick to the kernel once")
    func changesReachTheKernelOnce() throws {
        let hand = try HandDrivenLoop()
        let endpoint = try Endpoint(on: hand.reactor)
        for _ in 0..<100 {
            endpoint.registration?.setInterest([.read, .write])
            endpoint.registration?.setInterest(.read)
        }
        endpoint.registration?.setInterest(.write)
        hand.tick()
        #expect(hand.loop.statistics.interestChanges == 1)
        #expect(endpoint.events == [.writable])
        // Changes that end where they began need no system call.
        endpoint.registration?.setInterest([])
        endpoint.registration?.setInterest(.write)
        hand.tick()
        #expect(hand.loop.statistics.interestChanges == 1)
        endpoint.cancelAndClose()
    }

    @Test("Lets a handler cancel itself twice while it is called")
    func aHandlerMayCancelItselfTwiceWhileItIsCalled() throws {
        let hand = try HandDrivenLoop()
        let endpoint = try Endpoint(on: hand.reactor) { endpoint, _ in
            let registration = endpoint.registration
            endpoint.cancelAndClose()
            registration?.cancel()
            registration?.setInterest(.write)
        }
        endpoint.poke()
        hand.tick()
        hand.tick()
        #expect(endpoint.events.count == 1)
        #expect(hand.reactor.registrationCount == 1)  // the wakeup
    }

    @Test("Releases the handler when it is cancelled")
    func cancellingReleasesTheHandler() throws {
        let hand = try HandDrivenLoop()
        var endpoint: Endpoint? = try Endpoint(on: hand.reactor)
        weak let observed = endpoint
        let registration = endpoint?.registration
        endpoint = nil
        #expect(observed != nil)
        registration?.cancel()
        #expect(observed == nil)
    }

    @Test("Reports a peer that closes without any interest")
    func hangupNeedsNoInterest() throws {
        let hand = try HandDrivenLoop()
        let endpoint = try Endpoint(on: hand.reactor, interest: [])
        endpoint.far = nil
        hand.tick()
        #expect(endpoint.events == [.hangup])
        endpoint.cancelAndClose()
    }

    @Test("Reports a peer that shuts its side while reading is paused")
    func readHangupWhileReadingIsPaused() throws {
        let hand = try HandDrivenLoop()
        let endpoint = try Endpoint(on: hand.reactor, interest: .readHangup)
        try endpoint.far?.shutdownSending()
        hand.tick()
        #expect(endpoint.events == [.readHangup])
        endpoint.cancelAndClose()
    }

    @Test("Throws what the kernel refuses to register, and keeps nothing of it")
    func refusedRegistration() throws {
        let hand = try HandDrivenLoop()
        hand.reactor.refuse(.add, of: "test", with: .outOfMemory)
        #expect(throws: SystemError("epoll_ctl", .outOfMemory)) {
            try Endpoint(on: hand.reactor)
        }
        #expect(hand.reactor.registrationCount == 1)  // the wakeup
        hand.reactor.refuse(.add, of: "test", with: nil)
        let endpoint = try Endpoint(on: hand.reactor)
        endpoint.poke()
        hand.tick()
        #expect(endpoint.events == [.readable])
        endpoint.cancelAndClose()
    }

    @Test("Ends a registration whose interest the kernel refuses to change, and logs one line")
    func refusedChange() throws {
        let lines = ErrorLines()
        var logging = LogConfiguration()
        logging.outputs = []
        let logs = try LogSystem(logging, sinks: [lines])
        let hand = try HandDrivenLoop(logger: logs.app)
        let endpoint = try Endpoint(on: hand.reactor)
        let other = try Endpoint(on: hand.reactor)
        hand.reactor.refuse(.change, of: "test", with: .outOfMemory)
        endpoint.registration?.setInterest([.read, .write])
        hand.tick()
        #expect(endpoint.failures == [SystemError("epoll_ctl", .outOfMemory)])
        #expect(endpoint.registration?.isActive == false)
        endpoint.poke()
        other.poke()
        hand.tick()
        #expect(endpoint.events.isEmpty && other.events == [.readable])
        hand.reactor.refuse(.change, of: "test", with: nil)
        try endpoint.register(on: hand.reactor)
        hand.tick()
        #expect(endpoint.events == [.readable])
        endpoint.cancelAndClose()
        other.cancelAndClose()
        logs.shutdown()
        #expect(lines.count.value == 1)
    }

    @Test("Survives a registration that the kernel refuses to remove, and logs one line")
    func refusedRemoval() throws {
        let lines = ErrorLines()
        var logging = LogConfiguration()
        logging.outputs = []
        let logs = try LogSystem(logging, sinks: [lines])
        let hand = try HandDrivenLoop(logger: logs.app)
        let endpoint = try Endpoint(on: hand.reactor)
        // Closed too early: the kernel does not know the descriptor any more.
        endpoint.near = nil
        endpoint.registration?.cancel()
        #expect(hand.reactor.registrationCount == 1)  // the wakeup
        logs.shutdown()
        #expect(lines.count.value == 1)
    }

    @Test("Traps when a descriptor is registered twice")
    func registeringTwiceTraps() async {
        await #expect(processExitsWith: .failure) {
            let hand = try HandDrivenLoop()
            let endpoint = try Endpoint(on: hand.reactor)
            endpoint.registration = nil
            try endpoint.register(on: hand.reactor)
        }
    }
}
