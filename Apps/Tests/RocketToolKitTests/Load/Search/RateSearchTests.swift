import Testing

@testable import RocketToolKit

@Suite struct RateSearchTests {
    /// The rates of a search of a server that holds up to a rate, and the client up to another.
    private func rates(
        _ search: inout RateSearch, server: Double, client: Double = .infinity
    ) -> [Double] {
        var rates: [Double] = []
        while let rate = search.next {
            rates.append(rate)
            search.record(rate > client ? .client : rate > server ? .missed : .held)
        }
        return rates
    }

    @Test("The rate doubles until a step does not hold; then the interval is halved")
    func doubling() {
        var search = RateSearch(.init(first: 100))
        #expect(
            rates(&search, server: 1000)
                == [100, 200, 400, 800, 1600, 1600, 1200, 1200, 1000, 1100, 1100, 1050, 1050])
        #expect(search.held == 1000 && search.failed?.rate == 1050 && search.bound == .server)
    }

    @Test("If the first rate does not hold, it is halved until one does")
    func halving() {
        var search = RateSearch(.init(first: 1000))
        #expect(
            rates(&search, server: 200)
                == [1000, 1000, 500, 500, 250, 250, 125, 188, 219, 219, 204, 204, 196])
        #expect(search.held == 196 && search.bound == .server)
    }

    @Test("A rate that is missed once, and then holds, has held")
    func repeated() {
        var search = RateSearch(.init(first: 100))
        for (rate, verdict) in [
            (100.0, RateSearch.Verdict.held), (200, .missed), (200, .held), (400, .missed),
            (400, .client), (300, .client), (300, .held), (350, .missed),
        ] {
            #expect(search.next == rate)
            search.record(verdict)
        }
        #expect(search.held == 300 && search.failed?.rate == 400 && search.next == 350)
        #expect(search.failed?.verdict == .client && search.bound == .unfinished)
    }

    @Test("No rate below the lowest is tried")
    func lowest() {
        var search = RateSearch(.init(first: 100, lowest: 40))
        #expect(rates(&search, server: 0) == [100, 100, 50, 50, 40, 40])
        #expect(search.held == nil && search.bound == .server)
    }

    @Test("No rate below one call per second is tried")
    func none() {
        var search = RateSearch(.init(first: 10))
        #expect(rates(&search, server: 0) == [10, 10, 5, 5, 2.5, 2.5, 1.25, 1.25, 1, 1])
        #expect(search.held == nil && search.bound == .server)
    }

    @Test("The highest rate ends the search if it holds")
    func highest() {
        var search = RateSearch(.init(first: 100, highest: 500))
        #expect(rates(&search, server: 1e9) == [100, 200, 400, 500])
        #expect(search.held == 500 && search.bound == .highestRate)
        var one = RateSearch(.init(first: 500, highest: 500))
        #expect(rates(&one, server: 1e9) == [500])
    }

    @Test("A client that can't keep up is the bound, not the server")
    func client() {
        var search = RateSearch(.init(first: 100))
        _ = rates(&search, server: 900, client: 700)
        #expect(search.held ?? 0 <= 700 && search.bound == .client)
        var server = RateSearch(.init(first: 100))
        _ = rates(&server, server: 700, client: 900)
        #expect(server.bound == .server)
    }

    @Test("Without steps left the result is not finished")
    func steps() {
        var search = RateSearch(.init(first: 100, maxSteps: 3))
        #expect(rates(&search, server: 1e9) == [100, 200, 400])
        #expect(search.held == 400 && search.bound == .unfinished)
        search.record(.held)
        #expect(search.steps == 3)
    }

    @Test("The interval that is left is as exact as wanted, within the steps that were announced")
    func exactness() {
        for precision in [0.001, 0.01, 0.05, 0.5] {
            for first in [1.0, 3.3, 100, 5000] {
                for exponent in 0...40 {
                    let limit = (0..<exponent).reduce(1.5) { value, _ in value * 1.4 }
                    let settings = RateSearch.Settings(
                        first: first, highest: 1e6, precision: precision, maxSteps: 100)
                    var search = RateSearch(settings)
                    let rates = rates(&search, server: limit)
                    #expect(rates.count <= RateSearch.mostSteps(settings), "\(settings) \(limit)")
                    #expect(Dictionary(grouping: rates) { $0 }.values.allSatisfy { $0.count <= 2 })
                    let held = search.held ?? 0
                    #expect(held <= limit && held * (1 + precision) * 1.0001 >= min(limit, 1e6))
                }
            }
        }
        #expect(RateSearch.mostSteps(.init(maxSteps: 4)) == 4)
    }
}
