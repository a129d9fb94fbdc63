console.log("hi"); export const a: number = 1;
