import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct RegistrationTests {
    @Test func anEventMeantForAClosedDescriptorDoesNotReachTheNextOwnerOfItsNumber() throws {
        let hand = try HandDrivenLoop()
        let reactor = hand.reactor
        var latecomer: Endpoint?
        var endpoints: [Endpoint] = []
        for _ in 0..<2 {
            endpoints.append(
                try Endpoint(on: reactor) { endpoint, reactor in
                    // Whoever is first closes the other, whose event waits in this very tick.
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
        #expect(latecomer?.heard == [])
        latecomer?.poke()
        hand.tick()
        #expect(latecomer?.heard == [.readable])
        latecomer?.cancelAndClose()
        for endpoint in endpoints { endpoint.cancelAndClose() }
        endpoints = []
    }

    @Test func anInterestTakenBackByAnEarlierCallbackIsNotHeard() throws {
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
        #expect(endpoints.map(\.heard.count).sorted() == [0, 2])
        for endpoint in endpoints { endpoint.cancelAndClose() }
        endpoints = []
    }

    @Test func changesOfATickAreToldToTheKernelOnce() throws {
        let hand = try HandDrivenLoop()
        let endpoint = try Endpoint(on: hand.reactor)
        for _ in 0..<100 {
            endpoint.registration?.setInterest([.read, .write])
            endpoint.registration?.setInterest(.read)
        }
        endpoint.registration?.setInterest(.write)
        hand.tick()
        #expect(hand.loop.statistics.interestChanges == 1)
        #expect(endpoint.heard == [.writable])
        // What ends where it began needs no call.
        endpoint.registration?.setInterest([])
        endpoint.registration?.setInterest(.write)
        hand.tick()
        #expect(hand.loop.statistics.interestChanges == 1)
        endpoint.cancelAndClose()
    }

    @Test func aHandlerMayCancelItselfTwiceWhileItIsCalled() throws {
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
        #expect(endpoint.heard.count == 1)
        #expect(hand.reactor.registrationCount == 1)  // the loop's own wakeup
    }

    @Test func cancellingLetsGoOfTheHandler() throws {
        let hand = try HandDrivenLoop()
        var endpoint: Endpoint? = try Endpoint(on: hand.reactor)
        weak let observed = endpoint
        let registration = endpoint?.registration
        endpoint = nil
        #expect(observed != nil)
        registration?.cancel()
        #expect(observed == nil)
    }

    @Test func aPeerThatClosesIsHeardWithoutAnyInterest() throws {
        let hand = try HandDrivenLoop()
        let endpoint = try Endpoint(on: hand.reactor, interest: [])
        endpoint.far = nil
        hand.tick()
        #expect(endpoint.heard == [.hangup])
        endpoint.cancelAndClose()
    }

    @Test func aPeerThatShutsItsSideIsHeardWhileReadingIsPaused() throws {
        let hand = try HandDrivenLoop()
        let endpoint = try Endpoint(on: hand.reactor, interest: .readHangup)
        try endpoint.far?.shutdownSending()
        hand.tick()
        #expect(endpoint.heard == [.readHangup])
        endpoint.cancelAndClose()
    }

    @Test func registeringTwiceTraps() async {
        await #expect(processExitsWith: .failure) {
            let hand = try HandDrivenLoop()
            let endpoint = try Endpoint(on: hand.reactor)
            endpoint.registration = nil
            try endpoint.register(on: hand.reactor)
        }
    }
}
