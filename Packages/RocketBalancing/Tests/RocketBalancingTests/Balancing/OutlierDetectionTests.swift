import RocketBalancing
import RocketSystem
import Testing

@Suite("Outlier detection, gRFC A50")
struct OutlierDetectionTests {
    private var random = SeededRandom(seed: 1)

    /// Ten endpoints whose first sweep is due at second 10; no ejection by failures in sequence.
    private mutating func detection(
        _ count: Int = 10, configure: (inout OutlierConfiguration) -> Void = { _ in }
    ) -> OutlierDetection {
        var configuration = OutlierConfiguration()
        configuration.consecutiveFailures = nil
        configure(&configuration)
        var detection = OutlierDetection(configuration)
        for index in 0..<count { detection.add(index) }
        #expect(detection.sweep(now: .seconds(0), using: &random) == false)
        return detection
    }

    private func record(
        _ detection: inout OutlierDetection, _ index: Int, successes: Int, failures: Int,
        now: MonotonicTime = .seconds(1)
    ) {
        for _ in 0..<successes { detection.succeeded(index) }
        for _ in 0..<failures { #expect(detection.failed(index, now: now) == false) }
    }

    /// Nine endpoints without failures, and endpoint 0.
    private func recordOutlier(
        _ detection: inout OutlierDetection, successes: Int, failures: Int, others: Int = 100,
        count: Int = 10
    ) {
        record(&detection, 0, successes: successes, failures: failures)
        for index in 1..<count {
            record(&detection, index, successes: others, failures: 0)
        }
    }

    @Test("Ejects an endpoint whose success rate is below mean - 1.9 deviations")
    mutating func successRate() {
        var detection = detection { $0.failurePercentage = nil }
        recordOutlier(&detection, successes: 50, failures: 50)
        #expect(detection.sweep(now: .milliseconds(9_999), using: &random) == false)
        #expect(detection.sweep(now: .seconds(10), using: &random) == true)
        #expect(detection.isEjected(0))
        #expect(detection.ejectedCount == 1)
    }

    @Test("Does not eject by success rate with too few calls, or too few endpoints with enough")
    mutating func successRateVolume() {
        var few = detection { $0.failurePercentage = nil }
        recordOutlier(&few, successes: 49, failures: 50)
        #expect(few.sweep(now: .seconds(10), using: &random) == false)
        var hosts = detection(4) { $0.failurePercentage = nil }
        recordOutlier(&hosts, successes: 50, failures: 50, count: 4)
        #expect(hosts.sweep(now: .seconds(10), using: &random) == false)
        var volume = detection { $0.failurePercentage = nil }
        recordOutlier(&volume, successes: 50, failures: 50, others: 99)
        #expect(volume.sweep(now: .seconds(10), using: &random) == false)
    }

    @Test("Endpoints that fail alike are no outliers")
    mutating func alike() {
        var detection = detection { $0.failurePercentage = nil }
        for index in 0..<10 { record(&detection, index, successes: 20, failures: 80) }
        #expect(detection.sweep(now: .seconds(10), using: &random) == false)
    }

    @Test("Ejects above 85 % of failures, not at 85 %, not below 50 calls, not of four endpoints")
    mutating func failurePercentage() {
        for (successes, failures, count, isEjected) in [
            (14, 86, 10, true), (15, 85, 10, false), (0, 49, 10, false), (0, 50, 10, true),
            (0, 50, 5, true), (0, 50, 4, false),
        ] {
            var detection = detection(count) { $0.successRate = nil }
            recordOutlier(&detection, successes: successes, failures: failures, count: count)
            #expect(detection.sweep(now: .seconds(10), using: &random) == isEjected)
            #expect(detection.isEjected(0) == isEjected)
        }
    }

    @Test("Counts only the calls since the last sweep")
    mutating func interval() {
        var detection = detection { $0.successRate = nil }
        recordOutlier(&detection, successes: 0, failures: 30)
        #expect(detection.sweep(now: .seconds(10), using: &random) == false)
        recordOutlier(&detection, successes: 0, failures: 30)
        #expect(detection.sweep(now: .seconds(20), using: &random) == false)
    }

    @Test("Ejects at most 10 %, but one at least")
    mutating func maximum() {
        for (count, bad, percent, expected) in [
            (10, 3, 10, 1), (10, 3, 0, 1), (20, 5, 10, 2), (10, 4, 30, 3), (10, 9, 100, 9),
        ] {
            var detection = detection(count) {
                $0.successRate = nil
                $0.maxEjectionPercent = percent
            }
            for index in 0..<bad { record(&detection, index, successes: 0, failures: 60) }
            _ = detection.sweep(now: .seconds(10), using: &random)
            #expect(detection.ejectedCount == expected)
        }
    }

    @Test("An ejection lasts 30 s, the next one 60 s, at most 300 s; good intervals shorten it")
    mutating func times() {
        var detection = detection { $0.successRate = nil }
        var second = 10
        for expected in [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300] {
            record(&detection, 0, successes: 0, failures: 60)
            #expect(detection.sweep(now: .seconds(second), using: &random) == true)
            let since = second
            while detection.isEjected(0) {
                second += 10
                _ = detection.sweep(now: .seconds(second), using: &random)
            }
            // "After" that time: at the first sweep that is later.
            #expect(second - since == expected + 10)
            second += 10
        }
        for _ in 0..<20 {
            _ = detection.sweep(now: .seconds(second), using: &random)
            second += 10
        }
        record(&detection, 0, successes: 0, failures: 60)
        #expect(detection.sweep(now: .seconds(second), using: &random) == true)
        #expect(detection.sweep(now: .seconds(second + 30), using: &random) == false)
        #expect(detection.sweep(now: .seconds(second + 41), using: &random) == true)
    }

    @Test("The enforcement percentage is the chance of an ejection")
    mutating func enforcement() {
        var ejected = 0
        for _ in 0..<400 {
            var detection = detection {
                $0.successRate = nil
                $0.failurePercentage?.enforcementPercentage = 25
            }
            record(&detection, 0, successes: 0, failures: 60)
            if detection.sweep(now: .seconds(10), using: &random) { ejected += 1 }
        }
        #expect((60...140).contains(ejected))
    }

    @Test("Five failures in sequence eject at once; a success in between prevents that")
    mutating func sequence() {
        var detection = detection { $0.consecutiveFailures = 5 }
        record(&detection, 0, successes: 0, failures: 4)
        detection.succeeded(0)
        record(&detection, 0, successes: 0, failures: 4)
        #expect(detection.failed(0, now: .seconds(2)) == true)
        #expect(detection.isEjected(0))
        #expect(detection.failed(0, now: .seconds(2)) == false)
        record(&detection, 1, successes: 0, failures: 9)
        #expect(!detection.isEjected(1))
    }

    @Test("An endpoint that is gone frees its place")
    mutating func removed() {
        var detection = detection { $0.consecutiveFailures = 1 }
        #expect(detection.failed(0, now: .seconds(1)) == true)
        #expect(detection.failed(1, now: .seconds(1)) == false)
        detection.remove(0)
        #expect(detection.ejectedCount == 0)
        #expect(detection.failed(1, now: .seconds(1)) == true)
        #expect(detection.failed(77, now: .seconds(1)) == false)
        detection.succeeded(77)
        detection.remove(77)
    }

    @Test("A balancer ejects; with fewer than half left it ignores that")
    mutating func panic() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 10) {
            $0.outliers?.maxEjectionPercent = 100
        }
        for index in 0..<5 {
            for _ in 0..<5 { balancer.call(index, .failure, now: .seconds(1)) }
        }
        #expect(balancer.pickable == [5, 6, 7, 8, 9])
        #expect(!balancer.statistics.isPanicking)
        balancer.setUsable(false, at: 9)
        #expect(balancer.statistics.isPanicking)
        #expect(balancer.pickable == [0, 1, 2, 3, 4, 5, 6, 7, 8])
        _ = balancer.pick(now: .seconds(1))
        #expect(balancer.statistics.picksInPanic == 1)
        balancer.setUsable(true, at: 9)
        #expect(balancer.statistics.ejected == 5)
        balancer.configuration.outliers = nil
        #expect(balancer.pickable.count == 10)
    }

    @Test("Refusals do not eject")
    mutating func refusals() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 10)
        for _ in 0..<100 { balancer.call(0, .refused, now: .seconds(1)) }
        #expect(!balancer.isEjected(0))
    }

    @Test("A single endpoint is picked though it is ejected")
    mutating func single() {
        var balancer = Balancer.make(.p2cPeakEWMA, count: 1)
        for _ in 0..<10 { balancer.call(0, .failure, now: .seconds(1)) }
        #expect(balancer.pick(now: .seconds(1)) == 0)
    }

    @Test("Failures in sequence eject none of fewer than five endpoints", arguments: [1, 2, 4, 5])
    mutating func tooFew(count: Int) {
        var detection = detection(count) { $0.consecutiveFailures = 5 }
        for _ in 0..<20 { _ = detection.failed(0, now: .seconds(1)) }
        #expect(detection.isEjected(0) == (count == 5))
        detection.configuration.consecutiveFailuresMinimumHosts = 1
        for _ in 0..<5 { _ = detection.failed(0, now: .seconds(1)) }
        #expect(detection.isEjected(0))
    }
}
