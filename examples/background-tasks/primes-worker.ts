declare const self: Worker;

self.onmessage = ({ data: below }: MessageEvent<number>) => {
  let count = 0;
  for (let number = 2; number < below; number++) if (isPrime(number)) count++;
  self.postMessage(count);
};

/** By trial, which takes long, as it is meant to. */
function isPrime(number: number): boolean {
  if (number % 2 === 0) return number === 2;
  for (let divisor = 3; divisor * divisor <= number; divisor += 2) if (number % divisor === 0) return false;
  return true;
}

export {};
