// Random numbers: the Mersenne Twister with the methods of Python's random.Random, number for number.

const N = 624, M = 397;

export class Random {
  constructor(seed) { // a whole number from 0 to 2³² - 1, spread over the state as Python spreads it
    const state = this.state = new Uint32Array(N);
    state[0] = 19650218;
    for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    let i = 1;
    for (let k = 0; k < N; k++) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1664525)) + seed;
      if (++i >= N) { state[0] = state[N - 1]; i = 1; }
    }
    for (let k = 1; k < N; k++) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1566083941)) - i;
      if (++i >= N) { state[0] = state[N - 1]; i = 1; }
    }
    state[0] = 0x80000000;
    this.next = N;
    this.kept = null; // gauss makes two numbers at a time
  }

  bits(count) { // a whole number of 1 to 32 random bits
    const { state } = this;
    if (this.next >= N) {
      for (let i = 0; i < N; i++) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
        state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.next = 0;
    }
    let y = state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return ((y ^ (y >>> 18)) >>> 0) >>> (32 - count);
  }

  random() { // from 0 to 1, in steps of 2⁻⁵³
    return (this.bits(27) * 67108864 + this.bits(26)) / 9007199254740992;
  }

  uniform(low, high) {
    return low + (high - low) * this.random();
  }

  gauss(mean, deviation) {
    let z = this.kept;
    this.kept = null;
    if (z === null) {
      const angle = this.random() * 2 * Math.PI, radius = Math.sqrt(-2 * Math.log(1 - this.random()));
      z = Math.cos(angle) * radius;
      this.kept = Math.sin(angle) * radius;
    }
    return mean + z * deviation;
  }

  below(n) { // a whole number from 0 to n - 1
    const count = 32 - Math.clz32(n);
    let r = this.bits(count);
    while (r >= n) r = this.bits(count);
    return r;
  }

  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
  }
}
